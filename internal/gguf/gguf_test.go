package gguf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/llmcheck/llmcheck/internal/gguf"
	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
)

func read(b []byte) (*gguf.Header, error) {
	return gguf.Read(bytes.NewReader(b), int64(len(b)))
}

func mustRead(t testing.TB, b []byte) *gguf.Header {
	t.Helper()
	h, err := read(b)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// raw is a file written by hand, for what gguftest would never write.
type raw []byte

func header(version uint32, tensors, keys uint64) raw {
	return raw("GGUF").u32(version).u64(tensors).u64(keys)
}

func (b raw) u32(n uint32) raw                   { return binary.LittleEndian.AppendUint32(b, n) }
func (b raw) u64(n uint64) raw                   { return binary.LittleEndian.AppendUint64(b, n) }
func (b raw) str(s string) raw                   { return gguftest.AppendString(b, s) }
func (b raw) kv(key string, v any) raw           { return gguftest.AppendValue(b.str(key), v) }
func (b raw) pad(n int) raw                      { return append(b, make([]byte, n)...) }
func (b raw) array(t, n uint64) raw              { return b.u32(uint32(t)).u64(n) }
func (b raw) key(k string, t uint32) raw         { return b.str(k).u32(t) } //nolint:unparam // a row shows the key that its error names
func (b raw) tensor(t gguftest.Tensor) raw       { return gguftest.AppendTensor(b, t, 0) }
func (b raw) at(t gguftest.Tensor, o uint64) raw { return gguftest.AppendTensor(b, t, o) }

func tiny() ([]gguftest.KV, []gguftest.Tensor) {
	keys := []gguftest.KV{
		{Key: "general.architecture", Value: "llama"},
		{Key: "general.license", Value: "apache-2.0"},
		{Key: "general.languages", Value: []string{"en", "de"}},
		{Key: "general.quantized", Value: true},
		{Key: "llama.block_count", Value: uint32(2)},
		{Key: "llama.context_length", Value: uint64(8192)},
		{Key: "llama.rope.freq_base", Value: float32(10000)},
		{Key: "llama.attention.head_count_kv", Value: []uint32{4, 8}},
		{Key: "llama.offset", Value: int32(-7)},
		{Key: "tokenizer.ggml.scores", Value: make([]float32, 5000)},
		{Key: "tokenizer.ggml.tokens", Value: slices.Repeat([]string{"a", "bc"}, 2500)},
		{Key: "tokenizer.ggml.nested", Value: []any{[]uint8{1, 2}, []string{"x"}}},
	}
	tensors := []gguftest.Tensor{
		{Name: "token_embd.weight", Type: gguf.Q4_K, Dims: []uint64{256, 4}},
		{Name: "blk.0.attn_q.weight", Type: gguf.F16, Dims: []uint64{3, 5}},
		{Name: "output_norm.weight", Type: gguf.F32, Dims: []uint64{7}},
	}
	return keys, tensors
}

func TestRead(t *testing.T) {
	h := mustRead(t, gguftest.Write(tiny()))
	want := []gguf.Tensor{
		{Name: "token_embd.weight", Type: gguf.Q4_K, Dims: []uint64{256, 4}, Bytes: 576},
		{Name: "blk.0.attn_q.weight", Type: gguf.F16, Dims: []uint64{3, 5}, Offset: 576, Bytes: 30},
		{Name: "output_norm.weight", Type: gguf.F32, Dims: []uint64{7}, Offset: 608, Bytes: 28},
	}
	if diff := cmp.Diff(want, h.Tensors); diff != "" {
		t.Error(diff)
	}
	if h.Version != 3 || h.Alignment != 32 || h.DataOffset%32 != 0 || h.Architecture() != "llama" || len(h.Gaps) != 0 {
		t.Errorf("%+v", h)
	}
	var keys []string
	for _, kv := range h.Values {
		keys = append(keys, kv.Key+" "+kv.Value.String())
	}
	wantKeys := []string{
		`general.architecture "llama"`, `general.license "apache-2.0"`, "general.languages array of 2 string",
		"general.quantized true", "llama.block_count 2", "llama.context_length 8192", "llama.rope.freq_base 10000",
		"llama.attention.head_count_kv array of 2 uint32", "llama.offset -7",
		"tokenizer.ggml.scores array of 5000 float32", "tokenizer.ggml.tokens array of 5000 string",
		"tokenizer.ggml.nested array of 2 array",
	}
	if diff := cmp.Diff(wantKeys, keys); diff != "" {
		t.Error(diff)
	}
}

func TestGetters(t *testing.T) {
	h := mustRead(t, gguftest.Write(tiny()))
	type answer struct {
		Value any
		OK    bool
		Error string
	}
	answered := func(value any, ok bool, err error) answer {
		if err != nil {
			return answer{value, ok, err.Error()}
		}
		return answer{value, ok, ""}
	}
	check := func(name string, got, want answer) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	s, ok, err := h.String("general.license")
	check("string", answered(s, ok, err), answer{"apache-2.0", true, ""})
	s, ok, err = h.String("general.name")
	check("absent", answered(s, ok, err), answer{"", false, ""})
	s, ok, err = h.String("llama.block_count")
	check("number as string", answered(s, ok, err), answer{"", false, "llama.block_count is 2 of type uint32, want a string"})
	n, ok, err := h.Uint(h.Arch("context_length"))
	check("integer", answered(n, ok, err), answer{uint64(8192), true, ""})
	n, ok, err = h.Uint("llama.offset")
	check("negative", answered(n, ok, err), answer{uint64(0), false, "llama.offset is -7 of type int32, want an integer that is not negative"})
	i, ok, err := h.Int("llama.offset")
	check("signed", answered(i, ok, err), answer{int64(-7), true, ""})
	list, ok, err := h.Strings("general.languages")
	check("strings", answered(list, ok, err), answer{[]string{"en", "de"}, true, ""})
	list, ok, err = h.Strings("tokenizer.ggml.tokens")
	check("long array", answered(list, ok, err), answer{
		[]string(nil), false,
		"tokenizer.ggml.tokens is array of 5000 string of type array, want a short array of strings",
	})
	ns, ok, err := h.Uints("llama.attention.head_count_kv")
	check("integers", answered(ns, ok, err), answer{[]uint64{4, 8}, true, ""})
	ns, ok, err = h.Uints("llama.block_count")
	check("one integer", answered(ns, ok, err), answer{[]uint64{2}, true, ""})
}

// Every type of value comes back as it was written.
func TestScalars(t *testing.T) {
	for _, c := range []struct {
		in   any
		want string
	}{
		{uint8(255), "255"},
		{int8(-128), "-128"},
		{uint16(65535), "65535"},
		{int16(-32768), "-32768"},
		{uint32(math.MaxUint32), "4294967295"},
		{int32(math.MinInt32), "-2147483648"},
		{uint64(math.MaxUint64), "18446744073709551615"},
		{int64(math.MinInt64), "-9223372036854775808"},
		{float32(0.5), "0.5"},
		{float64(-0.25), "-0.25"},
		{math.Inf(1), "+Inf"},
		{true, "true"},
		{false, "false"},
		{"a\x1b", `"a\x1b"`},
	} {
		h := mustRead(t, gguftest.Write([]gguftest.KV{{Key: "k", Value: c.in}}, nil))
		v, _ := h.Get("k")
		if got := v.String(); got != c.want {
			t.Errorf("%T: got %s, want %s", c.in, got, c.want)
		}
	}
	h := mustRead(t, gguftest.Write([]gguftest.KV{{Key: "k", Value: uint64(math.MaxUint64)}, {Key: "list", Value: []int32{1, -1}}}, nil))
	if _, _, err := h.Int("k"); err == nil {
		t.Error("an integer over 63 bits was clamped")
	}
	if n, ok, err := h.Uint("k"); n != math.MaxUint64 || !ok || err != nil {
		t.Error(n, ok, err)
	}
	if _, _, err := h.Uints("list"); err == nil {
		t.Error("a negative number was read as unsigned")
	}
}

func TestRefused(t *testing.T) {
	f32 := gguftest.Tensor{Name: "a", Type: gguf.F32, Dims: []uint64{8}}
	named := func(name string) gguftest.Tensor { c := f32; c.Name = name; return c }
	dims := func(d ...uint64) gguftest.Tensor { c := f32; c.Dims = d; return c }
	whole := raw(gguftest.Write(tiny()))
	for _, c := range []struct {
		name string
		file []byte
		why  gguf.Why
		want string
	}{
		{"empty", nil, gguf.Cut, "byte 0: the file ends 0 bytes on, and the magic number needs 4; it may be cut"},
		{"magic", []byte("hello"), gguf.Malformed, "byte 0: not a GGUF file: it does not begin with GGUF"},
		{"pickle", []byte("\x80\x02}q\x00."), gguf.Malformed, "byte 0: not a GGUF file: it begins like a pickle"},
		{"zip", []byte("PK\x03\x04\x14\x00"), gguf.Malformed, "byte 0: not a GGUF file: it begins like a zip archive"},
		{"pointer", []byte("version https://git-lfs.github.com/spec/v1\n"), gguf.Malformed, "byte 0: not a GGUF file: it begins like a Git LFS pointer"},
		{"GGML", []byte("tjgg\x03\x00\x00\x00"), gguf.Unsupported, "byte 0: a GGML file from before GGUF; convert it to GGUF with llama.cpp"},
		{"version 0", header(0, 0, 0), gguf.Malformed, "byte 4: version 0 does not exist"},
		{"version 1", header(1, 0, 0), gguf.Unsupported, "byte 4: version 1 of GGUF is not supported; convert the model again with a current llama.cpp"},
		{"version 4", header(4, 0, 0), gguf.Unsupported, "byte 4: version 4 of GGUF is newer than this program, which reads up to 3; update it"},
		{"big-endian", header(3<<24, 0, 0), gguf.Unsupported, "byte 4: a big-endian GGUF file is not supported; convert the model for a little-endian system"},
		{"many keys", header(3, 0, 65_537).pad(1 << 20), gguf.TooLarge, "byte 24: 65537 keys, more than 65536"},
		{"many tensors", header(3, math.MaxUint64, 0), gguf.TooLarge, "byte 16: 18446744073709551615 tensors, more than 1000000"},
		{"keys that do not fit", header(3, 0, 9).pad(100), gguf.Cut, "byte 24: the file ends 100 bytes on, and a header with 9 keys needs 126; it may be cut"},
		{"tensors that do not fit", header(3, 9, 0).pad(100), gguf.Cut, "byte 16: the file ends 108 bytes on, and a header with 9 tensors needs 216; it may be cut"},
		{"empty key", header(3, 0, 1).kv("", uint64(1)), gguf.Malformed, "byte 24: an empty key"},
		{"key of bytes", header(3, 0, 1).kv("a\xff", uint32(1)), gguf.Malformed, `byte 24: the key "a\xff" is not text`},
		{"key with NUL", header(3, 0, 1).kv("a\x00b", uint32(1)), gguf.Malformed, `byte 24: the key "a\x00b" is not text`},
		{"equal keys", header(3, 0, 2).kv("a", uint32(1)).kv("a", uint32(2)), gguf.Malformed, `byte 41: the key "a" appears twice`},
		{"long key", header(3, 0, 1).u64(65_536).pad(70_000), gguf.TooLarge, "byte 32: a key of 65536 bytes, more than 65535"},
		{"key past the end", header(3, 0, 1).u64(60_000).pad(100), gguf.Cut, "byte 32: the file ends 100 bytes on, and a key needs 60000; it may be cut"},
		{"string of 2^64-1", header(3, 0, 1).key("a", 8).u64(math.MaxUint64), gguf.TooLarge, `byte 45: the string of "a" of 18446744073709551615 bytes, more than 16777216`},
		{"string past the end", header(3, 0, 1).key("a", 8).u64(1 << 20), gguf.Cut, `byte 45: the file ends 0 bytes on, and the string of "a" needs 1048576; it may be cut`},
		{"value type 13", header(3, 0, 1).key("a", 13).u64(0), gguf.Unsupported, `byte 37: "a" has value type 13, which is not known`},
		{"boolean 2", append(header(3, 0, 1).key("a", 7), 2), gguf.Malformed, `byte 38: "a" is a boolean of 2, want 0 or 1`},
		{"array of type 99", header(3, 0, 1).key("a", 9).array(99, 1), gguf.Unsupported, `byte 49: "a" is an array of value type 99, which is not known`},
		{"array of 2^63", header(3, 0, 1).key("a", 9).array(0, 1<<63), gguf.TooLarge, `byte 49: "a" is an array of 9223372036854775808 elements, more than 67108864`},
		{"array that does not fit", header(3, 0, 1).key("a", 9).array(10, 1<<20), gguf.Cut, `byte 49: the file ends 0 bytes on, and the array of "a" with 1048576 elements needs 8388608; it may be cut`},
		{"nested arrays", header(3, 0, 1).key("a", 9).array(9, 1).array(9, 1).array(9, 1).array(9, 1).array(9, 1).pad(99), gguf.TooLarge, `byte 85: "a" has arrays nested deeper than 4`},
		{"alignment 0", header(3, 0, 1).kv("general.alignment", uint32(0)), gguf.Malformed, "byte 57: general.alignment is 0, want a power of two in 8 ... 65536"},
		{"alignment 4", header(3, 0, 1).kv("general.alignment", uint32(4)), gguf.Malformed, "byte 57: general.alignment is 4, want a power of two in 8 ... 65536"},
		{"alignment 48", header(3, 0, 1).kv("general.alignment", uint32(48)), gguf.Malformed, "byte 57: general.alignment is 48, want a power of two in 8 ... 65536"},
		{"alignment 2^31", header(3, 0, 1).kv("general.alignment", uint32(1<<31)), gguf.Malformed, "byte 57: general.alignment is 2147483648, want a power of two in 8 ... 65536"},
		{"alignment of other type", header(3, 0, 1).kv("general.alignment", uint64(32)), gguf.Malformed, "byte 61: general.alignment is of type uint64, want uint32"},
		{"five dimensions", header(3, 1, 0).tensor(dims(1, 1, 1, 1, 1)), gguf.Malformed, `byte 37: tensor "a" has 5 dimensions, more than 4`},
		{"2^32 dimensions", header(3, 1, 0).str("a").u32(math.MaxUint32).pad(99), gguf.Malformed, `byte 37: tensor "a" has 4294967295 dimensions, more than 4`},
		{"product 2^64", header(3, 1, 0).tensor(dims(1<<32, 1<<32)), gguf.Malformed, `byte 24: tensor "a" of shape [4294967296 4294967296] has more elements than 63 bits can count`},
		{"negative dimension", header(3, 1, 0).tensor(dims(0, 1<<63)), gguf.Malformed, `byte 24: tensor "a" of shape [0 9223372036854775808] has more elements than 63 bits can count`},
		{"bytes 2^64", header(3, 1, 0).tensor(dims(1 << 62)), gguf.Malformed, `byte 24: tensor "a" of shape [4611686018427387904] and type F32 has more bytes than 63 bits can count`},
		{"end over 62 bits", header(3, 1, 0).at(dims(8), 1<<62), gguf.Malformed, `byte 57: tensor "a" at 4611686018427387904 has an end that 62 bits cannot count`},
		{"part of a block", header(3, 1, 0).tensor(gguftest.Tensor{Name: "a", Type: gguf.Q4_K, Dims: []uint64{128, 2}}), gguf.Malformed, `byte 24: tensor "a" has rows of 128 elements, which are not whole blocks of Q4_K with 256`},
		{"offset not aligned", header(3, 1, 0).at(f32, 16), gguf.Malformed, `byte 24: tensor "a" begins at 16, which is no multiple of the alignment, 32`},
		{"tensor name of bytes", header(3, 1, 0).tensor(named("a\x00")), gguf.Malformed, `byte 24: the name of tensor "a\x00" is not text`},
		{"long tensor name", header(3, 1, 0).tensor(named(strings.Repeat("a", 1025))), gguf.TooLarge, "byte 32: the name of a tensor of 1025 bytes, more than 1024"},
		{"equal names", header(3, 2, 0).at(f32, 0).at(f32, 32).pad(99), gguf.Malformed, `byte 90: two tensors have the name "a"`},
		{"overlap", header(3, 2, 0).at(named("a"), 0).at(named("b"), 0).pad(99), gguf.Malformed, `byte 90: tensor "b" begins inside of tensor "a"`},
		{"tensor past the end", header(3, 1, 0).at(f32, 32).pad(60), gguf.Cut, `byte 57: tensor "a" ends at byte 128 of the file, which has 117; it may be cut`},
		{"last byte missing", whole[:len(whole)-5], gguf.Cut, fmt.Sprintf(`byte %d: tensor "output_norm.weight" ends at byte %d of the file, which has %d; it may be cut`, 68239, len(whole)-4, len(whole)-5)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(c.file)
			want := "GGUF header, " + c.want
			if err == nil || err.Error() != want {
				t.Fatalf("\ngot  %v\nwant %s", err, want)
			}
			if e, ok := errors.AsType[*gguf.Error](err); !ok || e.Why != c.why {
				t.Errorf("%#v, want why %d", err, c.why)
			}
		})
	}
}

// A file that ends anywhere in its header is cut, whatever stands at the cut.
func TestCutAnywhere(t *testing.T) {
	file := gguftest.Write(tiny())
	end := int(mustRead(t, file).DataOffset) + 608 + 28
	for n := range end {
		if n > 400 && n < end-900 && n%97 != 0 {
			continue
		}
		_, err := read(file[:n])
		if e, ok := errors.AsType[*gguf.Error](err); !ok || e.Why != gguf.Cut {
			t.Fatalf("%d of %d bytes: %v", n, end, err)
		}
	}
	if _, err := read(file[:end]); err != nil {
		t.Errorf("without the last padding: %v", err)
	}
}

// A server may say less about the size than the file has, or nothing.
func TestUnknownSize(t *testing.T) {
	file := gguftest.Write(tiny())
	if _, err := gguf.Read(bytes.NewReader(file), -1); err != nil {
		t.Error(err)
	}
	if _, err := gguf.Read(bytes.NewReader(file[:1000]), -1); err == nil {
		t.Error("a cut header of unknown size was accepted")
	}
	if _, err := gguf.Read(bytes.NewReader(file[:1000]), int64(len(file))); err == nil {
		t.Error("a file shorter than its size was accepted")
	}
}

type failing struct{ error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.error }

func TestReaderFails(t *testing.T) {
	_, err := gguf.Read(failing{io.ErrClosedPipe}, 1000)
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
	if _, ok := errors.AsType[*gguf.Error](err); ok {
		t.Error("a failure of the reader is blamed on the file")
	}
}

func TestGaps(t *testing.T) {
	long := strings.Repeat("x", 1<<20+1)
	b := header(3, 2, 3).kv("chat", long).kv("tags", []string{"a", long, "b"}).kv("after", uint32(7))
	b = b.at(gguftest.Tensor{Name: "w", Type: 97, Dims: []uint64{5}}, 0)
	b = b.at(gguftest.Tensor{Name: "v", Type: 97, Dims: []uint64{5}}, 32).pad(200)
	h := mustRead(t, b)
	want := []string{
		`value of "chat" not kept: a string of 1048577 bytes`,
		`value of "tags" not kept: an array of 3 strings, one or all of them long`,
		`size of tensor type 97 unknown: 2 tensors, the first is "w"`,
	}
	if diff := cmp.Diff(want, h.Gaps); diff != "" {
		t.Error(diff)
	}
	if n, _, _ := h.Uint("after"); n != 7 {
		t.Error("lost the place after a value that was not kept")
	}
	if _, _, err := h.String("chat"); err == nil || err.Error() != "chat is string of 1048577 bytes of type string, want a string" {
		t.Error(err)
	}
}

// The sizes of the formats, in bits for an element, as their authors state them.
func TestTypes(t *testing.T) {
	for _, c := range []struct {
		typ  gguf.Type
		name string
		bits float64
	}{
		{gguf.F32, "F32", 32},
		{gguf.F16, "F16", 16},
		{gguf.BF16, "BF16", 16},
		{gguf.F64, "F64", 64},
		{gguf.I8, "I8", 8},
		{gguf.I16, "I16", 16},
		{gguf.I32, "I32", 32},
		{gguf.I64, "I64", 64},
		{gguf.Q4_0, "Q4_0", 4.5},
		{gguf.Q4_1, "Q4_1", 5},
		{gguf.Q5_0, "Q5_0", 5.5},
		{gguf.Q5_1, "Q5_1", 6},
		{gguf.Q8_0, "Q8_0", 8.5},
		{gguf.Q8_1, "Q8_1", 9},
		{gguf.Q2_K, "Q2_K", 2.625},
		{gguf.Q3_K, "Q3_K", 3.4375},
		{gguf.Q4_K, "Q4_K", 4.5},
		{gguf.Q5_K, "Q5_K", 5.5},
		{gguf.Q6_K, "Q6_K", 6.5625},
		{gguf.Q8_K, "Q8_K", 9.125},
		{gguf.IQ1_S, "IQ1_S", 1.5625},
		{gguf.IQ1_M, "IQ1_M", 1.75},
		{gguf.IQ2_XXS, "IQ2_XXS", 2.0625},
		{gguf.IQ2_XS, "IQ2_XS", 2.3125},
		{gguf.IQ2_S, "IQ2_S", 2.5625},
		{gguf.IQ3_XXS, "IQ3_XXS", 3.0625},
		{gguf.IQ3_S, "IQ3_S", 3.4375},
		{gguf.IQ4_NL, "IQ4_NL", 4.5},
		{gguf.IQ4_XS, "IQ4_XS", 4.25},
		{gguf.TQ1_0, "TQ1_0", 1.6875},
		{gguf.TQ2_0, "TQ2_0", 2.0625},
		{gguf.MXFP4, "MXFP4", 4.25},
		{gguf.NVFP4, "NVFP4", 4.5},
		{gguf.Q1_0, "Q1_0", 1.125},
		{gguf.Q2_0, "Q2_0", 2.25},
		{31, "Q4_0_4_4", 4.5},
		{38, "IQ4_NL_8_8", 4.5},
	} {
		n, err := c.typ.Bytes(256 * 64)
		if got := float64(n) * 8 / (256 * 64); err != nil || got != c.bits || c.typ.String() != c.name {
			t.Errorf("%s: %v bits as %s, %v; want %v", c.name, got, c.typ, err, c.bits)
		}
	}
	for _, typ := range []gguf.Type{4, 5, 43, 97, math.MaxUint32} {
		if _, err := typ.Bytes(256); typ.Known() || err == nil || typ.String() != fmt.Sprintf("type %d", uint32(typ)) {
			t.Errorf("%s: %v", typ, err)
		}
	}
	if _, err := gguf.Q4_K.Bytes(255); err == nil {
		t.Error("part of a block has a size")
	}
	if _, err := gguf.F32.Bytes(1 << 62); err == nil {
		t.Error("a size wrapped")
	}
}

// For every shape of the dangerous dimensions, the result is right or refused; nothing wraps.
func TestDangerousDimensions(t *testing.T) {
	danger := []uint64{0, 1, 256, 1 << 31, 1 << 32, 1 << 61, 1 << 63, math.MaxUint64}
	accepted := 0
	for _, typ := range []gguf.Type{gguf.F32, gguf.Q4_K, gguf.I8, 97} {
		for i := range len(danger) * len(danger) * len(danger) * len(danger) {
			dims := []uint64{danger[i%8], danger[i/8%8], danger[i/64%8], danger[i/512]}
			b := header(3, 1, 0).tensor(gguftest.Tensor{Name: "a", Type: typ, Dims: dims}).pad(4096)
			h, err := read(b)
			if err != nil {
				continue
			}
			accepted++
			product := 1.0
			for _, d := range dims {
				product *= float64(d)
			}
			if got := float64(h.Tensors[0].Elements()); got != product {
				t.Fatalf("%v: %v elements, want %v", dims, got, product)
			}
			if typ.Known() && h.DataOffset+int64(h.Tensors[0].Bytes) > int64(len(b)) {
				t.Fatalf("%v: %d bytes in a file of %d", dims, h.Tensors[0].Bytes, len(b))
			}
		}
	}
	if accepted == 0 {
		t.Error("no shape was accepted")
	}
}

func TestSplit(t *testing.T) {
	name, ok := gguf.ParseSplitName("UD-Q4/model-Q4_K_M-00002-of-00003.gguf")
	if want := (gguf.SplitName{Base: "UD-Q4/model-Q4_K_M", No: 2, Count: 3}); !ok || name != want {
		t.Errorf("got %+v %v", name, ok)
	}
	var all []string
	for n := range name.All() {
		all = append(all, n.String())
	}
	want := []string{
		"UD-Q4/model-Q4_K_M-00001-of-00003.gguf", "UD-Q4/model-Q4_K_M-00002-of-00003.gguf",
		"UD-Q4/model-Q4_K_M-00003-of-00003.gguf",
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{
		"model.gguf", "-00001-of-00003.gguf", "a/-00001-of-00003.gguf", "m-00000-of-00003.gguf", "m-00004-of-00003.gguf",
		"m-0001-of-00003.gguf", "m-00001-of-00003.bin", "m-+0001-of-00003.gguf", "m_00001-of-00003.gguf", "mxx00001-of-00003.gguf",
		"m--of-00001-of-00003.gguf", "mmmmm-of-00001xxxxxxx.gguf", "",
	} {
		if got, ok := gguf.ParseSplitName(bad); ok && got.String() != bad {
			t.Errorf("%q is %+v", bad, got)
		} else if ok && bad != "m--of-00001-of-00003.gguf" {
			t.Errorf("%q was accepted", bad)
		}
	}
	kv := []gguftest.KV{{Key: "split.no", Value: uint16(1)}, {Key: "split.count", Value: uint16(3)}, {Key: "split.tensors.count", Value: int32(291)}}
	s, ok, err := mustRead(t, gguftest.Write(kv, nil)).Split()
	if want := (gguf.Split{No: 1, Count: 3, Tensors: 291}); s != want || !ok || err != nil {
		t.Error(s, ok, err)
	}
	if _, ok, err := mustRead(t, gguftest.Write(tiny())).Split(); ok || err != nil {
		t.Error(ok, err)
	}
	kv[0].Value = uint16(3)
	if _, _, err := mustRead(t, gguftest.Write(kv, nil)).Split(); err == nil {
		t.Error("part 3 of 0 ... 2 was accepted")
	}
}

// sparse is a file of zeros behind a beginning, so that a test can have 40 GB; it counts what was asked for.
type sparse struct {
	head  []byte
	calls int
	bytes int64
}

func (s *sparse) ReadAt(p []byte, off int64) (int, error) {
	s.calls++
	s.bytes += int64(len(p))
	clear(p)
	if off < int64(len(s.head)) {
		copy(p, s.head[off:])
	}
	return len(p), nil
}

func vocabulary(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("token%06d", i)
	}
	return list
}

// large is a header as a model with 150k tokens has it.
func large() []byte {
	b := header(3, 300, 6).kv("general.architecture", "qwen2").kv("tokenizer.ggml.tokens", vocabulary(150_000))
	b = b.kv("tokenizer.ggml.scores", make([]float32, 150_000)).kv("tokenizer.ggml.token_type", make([]int32, 150_000))
	b = b.kv("tokenizer.ggml.merges", vocabulary(150_000)).kv("tokenizer.chat_template", strings.Repeat("x", 5000))
	for i := range 300 {
		b = b.at(gguftest.Tensor{Name: fmt.Sprintf("blk.%d.w", i), Type: gguf.Q4_K, Dims: []uint64{4096, 4096}}, uint64(i)*4096*4096/256*144)
	}
	return b
}

func TestRequests(t *testing.T) {
	f := &sparse{head: large()}
	h, err := gguf.Read(f, 40<<30)
	if err != nil || len(h.Tensors) != 300 {
		t.Fatal(err)
	}
	t.Logf("header of %d bytes: %d requests, %d bytes", len(f.head), f.calls, f.bytes)
	if f.calls > 14 || f.bytes > int64(len(f.head))+1<<20 {
		t.Errorf("header of %d bytes: %d requests, %d bytes", len(f.head), f.calls, f.bytes)
	}
	small := &sparse{head: gguftest.Write(tiny())}
	if _, err := gguf.Read(small, 40<<30); err != nil || small.calls > 2 {
		t.Errorf("small header: %d requests, %v", small.calls, err)
	}
}

// allocated is how many bytes f allocates in all, freed or not: an upper bound of the memory it needs.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Files that want as much memory or time as the limits let them.
func TestCost(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("measures memory and time of the largest inputs")
	}
	strs := func(n uint64, s string) raw {
		return slices.Concat(raw{}.array(8, n), bytes.Repeat(raw{}.str(s), int(n)))
	}
	manyKeys := header(3, 0, 65_536)
	for i := range 65_536 {
		manyKeys = manyKeys.kv(fmt.Sprintf("key.number.%d", i), "some value")
	}
	manyTensors := func(name string, typ gguf.Type) raw {
		b := header(3, 250_000, 0)
		for i := range 250_000 {
			typ := typ
			if typ == 1000 {
				typ += gguf.Type(i)
			}
			b = b.at(gguftest.Tensor{Name: fmt.Sprintf("%s%d", name, i), Type: typ, Dims: []uint64{8}}, uint64(i)*32)
		}
		return b
	}
	deep := header(3, 0, 1).key("a", 9)
	for range 100_000 {
		deep = deep.array(9, 1)
	}
	for _, c := range []struct {
		name string
		head []byte
		size int64
	}{
		{"many keys", manyKeys, 1 << 30},
		{"many tensors", manyTensors("t", gguf.F32), 1 << 40},
		{"many tensors, no data", manyTensors("t", gguf.F32), 0},
		{"many unknown types", manyTensors("t", 1000), 1 << 40},
		{"many long names", manyTensors(strings.Repeat("n", 900), gguf.F32), 1 << 40},
		{"a million tensors", header(3, 1_000_000, 0), 1 << 40},
		{"many short strings", slices.Concat(header(3, 0, 1).key("a", 9), strs(4_000_000, "")), 1 << 30},
		{"16 MiB strings", header(3, 0, 1).key("a", 9).array(8, 64<<20).u64(16 << 20), 1 << 50},
		{"empty strings to the limit", header(3, 0, 1).key("a", 9).array(8, 64<<20), 1 << 40},
		{"empty arrays to the limit", header(3, 0, 1).key("a", 9).array(9, 64<<20), 1 << 40},
		{"kept strings", slices.Concat(header(3, 0, 1).key("a", 9), strs(4000, strings.Repeat("s", 10_000))), 1 << 40},
		{"nested 100,000 deep", deep, 1 << 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.size == 0 {
				c.size = int64(len(c.head))
			}
			var err error
			start := time.Now()
			got := allocated(func() { _, err = gguf.Read(&sparse{head: c.head}, c.size) })
			took := time.Since(start)
			t.Logf("%v, %d KiB allocated, %v", took.Round(time.Millisecond), got>>10, err)
			if got > 64<<20 {
				t.Errorf("%d MiB allocated", got>>20)
			}
			if took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	file := large()
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := gguf.Read(&sparse{head: file}, 40<<30); err != nil {
			b.Fatal(err)
		}
	}
}

// Whatever the bytes: the memory is bounded by the size of the file, the error is of the file, every tensor lies in
// it, and not to know the size changes nothing but what is checked.
func FuzzRead(f *testing.F) {
	kv, tensors := tiny()
	kv[9].Value, kv[10].Value = []float32{1, 2}, []string{"a", "bc"} // mutations of short files are found faster
	f.Add(gguftest.Write(kv, tensors))
	f.Add(gguftest.Write(nil, nil))
	f.Add(gguftest.Write([]gguftest.KV{{Key: "general.alignment", Value: uint32(64)}}, []gguftest.Tensor{{Name: "a", Type: gguf.MXFP4, Dims: []uint64{32}}}))
	f.Add([]byte(header(3, 2, 1).kv("k", []any{[]string{"a"}}).tensor(gguftest.Tensor{Name: "a", Type: 97, Dims: []uint64{1 << 61}})))
	f.Add([]byte(header(2, 1, 1).key("a", 9).array(9, 1).array(9, 1).array(8, 1<<40)))
	f.Add([]byte(header(1, 0, 0)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var h *gguf.Header
		var err error
		got := allocated(func() { h, err = read(data) })
		if most := uint64(128<<10 + 40*len(data)); got > most {
			t.Errorf("%d bytes allocated for %d", got, len(data))
		}
		if err != nil {
			if _, ok := errors.AsType[*gguf.Error](err); !ok {
				t.Errorf("not an error of the file: %v", err)
			}
			return
		}
		again, err := gguf.Read(bytes.NewReader(data), -1)
		if err != nil {
			t.Fatalf("without the size: %v", err)
		}
		if diff := cmp.Diff(h, again, cmpopts.IgnoreUnexported(gguf.Header{}, gguf.Value{})); diff != "" {
			t.Errorf("without the size:\n%s", diff)
		}
		for _, tensor := range h.Tensors {
			if end := h.DataOffset + int64(tensor.Offset+tensor.Bytes); tensor.Bytes > 0 && (end < 0 || end > int64(len(data))) {
				t.Errorf("%+v lies outside of %d bytes", tensor, len(data))
			}
		}
		for _, kv := range h.Values {
			if v, ok := h.Get(kv.Key); !ok || v.String() != kv.Value.String() {
				t.Errorf("key %q is lost", kv.Key)
			}
		}
	})
}

func FuzzSplitName(f *testing.F) {
	for _, s := range []string{"m-00001-of-00003.gguf", "-00001-of-00003.gguf", "m--of-00001-of-00003.gguf", "m-00001-of-00003.gguf.gguf"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		s, ok := gguf.ParseSplitName(name)
		if ok && (s.String() != name || s.No < 1 || s.No > s.Count || s.Base == "") {
			t.Errorf("%q is %+v", name, s)
		}
	})
}
