package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/safetensors"
	"github.com/llmcheck/llmcheck/internal/safetensors/safetensorstest"
	"github.com/llmcheck/llmcheck/internal/weights"
)

func read(b []byte) (*safetensors.Header, error) {
	return safetensors.Read(bytes.NewReader(b), int64(len(b)))
}

func tiny() []byte {
	return safetensorstest.Write(map[string]string{"format": "pt", "license": "mit"}, []safetensorstest.Tensor{
		{Name: "a.weight", DType: "F32", Shape: []uint64{2, 3}},
		{Name: "A.weight", DType: "BF16", Shape: []uint64{5}},
		{Name: "scalar", DType: "I64"},
		{Name: "nothing", DType: "U8", Shape: []uint64{7, 0}},
		{Name: "half a byte", DType: "F4", Shape: []uint64{2, 2}},
		{Name: "new", DType: "F2_X", Shape: []uint64{4}, Data: []byte{1}},
	})
}

func TestRead(t *testing.T) {
	file := tiny()
	h, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := &safetensors.Header{
		Metadata: map[string]string{"format": "pt", "license": "mit"},
		Tensors: []safetensors.Tensor{
			{Name: "a.weight", DType: "F32", Shape: []uint64{2, 3}, Begin: 0, End: 24},
			{Name: "A.weight", DType: "BF16", Shape: []uint64{5}, Begin: 24, End: 34},
			{Name: "scalar", DType: "I64", Shape: []uint64{}, Begin: 34, End: 42},
			{Name: "nothing", DType: "U8", Shape: []uint64{7, 0}, Begin: 42, End: 42},
			{Name: "half a byte", DType: "F4", Shape: []uint64{2, 2}, Begin: 42, End: 44},
			{Name: "new", DType: "F2_X", Shape: []uint64{4}, Begin: 44, End: 45},
		},
		DataOffset: int64(len(file)) - 45,
		Also:       []weights.Kind{},
		Gaps:       []string{`size of "F2_X" unknown: 1 tensors, the first is "new"`},
	}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
	if _, err := safetensors.Read(bytes.NewReader(file), -1); err != nil {
		t.Errorf("unknown size: %v", err)
	}
}

func TestEmpty(t *testing.T) {
	for _, header := range []string{"{}", "{}      ", `{"__metadata__":{}}`} {
		if h, err := read(safetensorstest.Raw(header, nil)); err != nil || len(h.Tensors) != 0 {
			t.Errorf("%q: %v", header, err)
		}
	}
}

// Tensors may be listed in any order.
func TestOrder(t *testing.T) {
	h, err := read(safetensorstest.Raw(`{"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"a":{"data_offsets":[0,1],"shape":[1],"dtype":"U8"}}`, make([]byte, 3)))
	if err != nil || h.Tensors[0].Name != "b" {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	raw := safetensorstest.Raw
	one := func(fields string) []byte { return raw(`{"a":{`+fields+`}}`, make([]byte, 4)) }
	two := func(a, b string) []byte {
		return raw(`{"a":{"dtype":"U8","shape":[2],"data_offsets":`+a+`},"b":{"dtype":"U8","shape":[2],"data_offsets":`+b+`}}`, make([]byte, 4))
	}
	length := func(n uint64) []byte { return append(binary.LittleEndian.AppendUint64(nil, n), `{"a":1}`...) }
	shape := func(s string) []byte { return one(`"dtype":"U8","shape":[` + s + `],"data_offsets":[0,4]`) }
	for _, c := range []struct {
		name string
		file []byte
		why  safetensors.Why
		want string
	}{
		{"empty", nil, safetensors.Cut, "the file has 0 bytes, and the length of the header needs 8"},
		{"seven bytes", make([]byte, 7), safetensors.Cut, "the file has 7 bytes, and the length of the header needs 8"},
		{"length 0", make([]byte, 9), safetensors.Malformed, "a length of 0, and the shortest header has 2"},
		{"length past the end", length(8), safetensors.Cut, "the file has 15 bytes, and the header alone needs 16; it may be cut"},
		{"length over the limit", length(100_000_001), safetensors.Malformed, "a length of 100000001, more than the format's 100000000"},
		{"length 2^64-1", length(math.MaxUint64), safetensors.Malformed, "a length of 18446744073709551615, more than the format's 100000000"},
		{"pickle", []byte("\x80\x02}q\x00X\x01\x00\x00\x00a."), safetensors.Malformed, "not a safetensors file: it begins like a pickle"},
		{"zip", []byte("PK\x03\x04\x14\x00\x00\x00\x00\x00"), safetensors.Malformed, "not a safetensors file: it begins like a zip archive"},
		{"7z", []byte("7z\xbc\xaf\x27\x1c\x00\x04\x00"), safetensors.Malformed, "not a safetensors file: it begins like a 7z archive"},
		{"GGUF", []byte("GGUF\x03\x00\x00\x00\x00"), safetensors.Malformed, "not a safetensors file: it begins like a GGUF"},
		{"pointer", []byte("version https://git-lfs.github.com/spec/v1\n"), safetensors.Malformed, "not a safetensors file: it begins like a Git LFS pointer"},
		{"array", raw(`[1]`, nil), safetensors.Malformed, "it does not begin with a brace"},
		{"blank first", raw(` {}`, nil), safetensors.Malformed, "it does not begin with a brace"},
		{"not UTF-8", raw("{\"\xff\":0}", nil), safetensors.Malformed, "is not valid UTF-8"},
		{"second value", raw("{}{}", nil), safetensors.Malformed, "something follows after the end of the value"},
		{"NUL padding", raw("{}\x00\x00", nil), safetensors.Malformed, "something follows after the end of the value"},
		{"equal names", raw(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, nil), safetensors.Malformed, `the name "a" appears twice`},
		{"two metadata", raw(`{"__metadata__":{},"__metadata__":{}}`, nil), safetensors.Malformed, `the name "__metadata__" appears twice`},
		{"equal metadata", raw(`{"__metadata__":{"license":"a","license":"b"}}`, nil), safetensors.Malformed, `__metadata__: the key "license" appears twice`},
		{"metadata number", raw(`{"__metadata__":{"n":1}}`, nil), safetensors.Malformed, "__metadata__: '1' where a string should be"},
		{"name with NUL", raw(`{"a\u0000b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, nil), safetensors.Malformed, `the name "a\x00b" holds a NUL, which hides what follows from some readers`},
		{"equal fields", one(`"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]`), safetensors.Malformed, `tensor "a": the key "dtype" appears twice`},
		{"fields in two cases", one(`"dtype":"U8","DTYPE":"U8","shape":[4],"data_offsets":[0,4]`), safetensors.Malformed, `tensor "a" has the field "DTYPE", which the format does not have`},
		{"no dtype", one(`"shape":[4],"data_offsets":[0,4]`), safetensors.Malformed, `tensor "a" has no dtype`},
		{"no shape", one(`"dtype":"U8","data_offsets":[0,4]`), safetensors.Malformed, `tensor "a" has no shape`},
		{"no offsets", one(`"dtype":"U8","shape":[4]`), safetensors.Malformed, `tensor "a" has no data_offsets`},
		{"one offset", one(`"dtype":"U8","shape":[4],"data_offsets":[0]`), safetensors.Malformed, `tensor "a" has 1 data_offsets, want two`},
		{"three offsets", one(`"dtype":"U8","shape":[4],"data_offsets":[0,4,8]`), safetensors.Malformed, `tensor "a" has 3 data_offsets, want two`},
		{"negative offset", one(`"dtype":"U8","shape":[4],"data_offsets":[-1,3]`), safetensors.Malformed, `tensor "a": is -1, want an integer that is not negative`},
		{"offset as float", one(`"dtype":"U8","shape":[4],"data_offsets":[0,4.0]`), safetensors.Malformed, `tensor "a": is 4.0, want an integer`},
		{"offset as string", one(`"dtype":"U8","shape":[4],"data_offsets":[0,"4"]`), safetensors.Malformed, `tensor "a": '"' where a number should be`},
		{"offset 2^64", one(`"dtype":"U8","shape":[4],"data_offsets":[0,18446744073709551616]`), safetensors.Malformed, `tensor "a": is 18446744073709551616, out of range, want an integer in 0 ... 18446744073709551615`},
		{"dimension 1e400", shape("1e400"), safetensors.Malformed, `tensor "a": is 1e400, want an integer`},
		{"many dimensions", shape(strings.Repeat("1,", 64) + "1"), safetensors.TooLarge, `tensor "a" has more than 64 dimensions or offsets`},
		{"product 2^64", shape("4294967296,4294967296"), safetensors.Malformed, `tensor "a" of shape [4294967296 4294967296] has more elements than 64 bits can count`},
		{"product hidden by zero", shape("4294967296,4294967296,0"), safetensors.Malformed, `tensor "a" of shape [4294967296 4294967296 0] has more elements than 64 bits can count`},
		{"bytes 2^64", one(`"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]`), safetensors.Malformed, `tensor "a": 2305843009213693952 elements of F64 have more bytes than 64 bits can count`},
		{"bytes mismatch", one(`"dtype":"F16","shape":[4],"data_offsets":[0,4]`), safetensors.Malformed, `tensor "a" of shape [4] and F16 has 8 bytes, and its offsets say 4`},
		{"part of a byte", one(`"dtype":"F4","shape":[7],"data_offsets":[0,4]`), safetensors.Malformed, `tensor "a": 7 elements of F4 are no whole number of bytes`},
		{"end before begin", one(`"dtype":"U8","shape":[4],"data_offsets":[4,0]`), safetensors.Malformed, `tensor "a" ends at 0, before it begins at 4`},
		{"end over 62 bits", one(`"dtype":"X","shape":[4],"data_offsets":[0,18446744073709551615]`), safetensors.Malformed, `tensor "a" ends at 18446744073709551615, which no file can have`},
		{"overlap", two("[0,2]", "[1,3]"), safetensors.Malformed, `tensor "b" begins at 1, inside of tensor "a", which ends at 2`},
		{"same place", two("[0,2]", "[0,2]"), safetensors.Malformed, `tensor "b" begins at 0, inside of tensor "a", which ends at 2`},
		{"hole", two("[0,2]", "[3,5]"), safetensors.Malformed, `a hole of 1 bytes before tensor "b"`},
		{"hole at the beginning", two("[3,5]", "[1,3]"), safetensors.Malformed, `the first tensor, "b", begins at 1, want 0`},
		{"bytes after the end", raw(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, make([]byte, 5)), safetensors.Malformed, `3 bytes follow after the last tensor, and none may`},
		{"bytes without a tensor", raw(`{}`, make([]byte, 5)), safetensors.Malformed, `5 bytes follow after the last tensor, and none may`},
		{"cut data", raw(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`, make([]byte, 5)), safetensors.Cut, `the last tensor ends 3 bytes after the end of the file, which has 66; it may be cut`},
		{"tensor is a number", raw(`{"a":1}`, nil), safetensors.Malformed, `tensor "a": '1' where an object should be`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(c.file)
			want := "safetensors header: " + c.want
			if err == nil || err.Error() != want {
				t.Fatalf("\ngot  %v\nwant %s", err, want)
			}
			if e, ok := errors.AsType[*safetensors.Error](err); !ok || e.Why != c.why {
				t.Errorf("%#v, want why %d", err, c.why)
			}
		})
	}
}

// A safetensors file whose length also is the beginning of a pickle is read, and said to be two things.
func TestAlso(t *testing.T) {
	header := `{"ab.":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`
	pad := strings.Repeat(" ", 0x05580480-len(header))
	h, err := read(safetensorstest.Raw(header+pad, nil))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]weights.Kind{weights.Pickle}, h.Also); diff != "" {
		t.Error(diff)
	}
}

func TestCutAnywhere(t *testing.T) {
	file := tiny()
	for n := range file {
		_, err := read(file[:n])
		if e, ok := errors.AsType[*safetensors.Error](err); !ok || e.Why != safetensors.Cut {
			t.Fatalf("%d of %d bytes: %v", n, len(file), err)
		}
		if _, err := safetensors.Read(bytes.NewReader(file[:n]), int64(len(file))); err == nil && int64(n) < int64(len(file))-45 {
			t.Fatalf("%d of %d bytes and a wrong size were accepted", n, len(file))
		}
	}
}

type failing struct{ error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.error }

func TestReaderFails(t *testing.T) {
	_, err := safetensors.Read(failing{io.ErrClosedPipe}, 1000)
	if _, ok := errors.AsType[*safetensors.Error](err); ok || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

func TestDTypes(t *testing.T) {
	for d, want := range map[safetensors.DType]uint64{
		"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
		"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
		"I64": 64, "U64": 64, "F64": 64, "C64": 64, "f32": 0, "": 0, "F8_X": 0,
	} {
		n, err := d.Bytes(8)
		if d.Bits() != want || d.Known() != (want > 0) || n != want || (err != nil) != (want == 0) {
			t.Errorf("%s: %d bits, %d bytes for 8, %v; want %d", d, d.Bits(), n, err, want)
		}
	}
}

// For every shape of the dangerous dimensions, the result is right or refused; nothing wraps.
func TestDangerousDimensions(t *testing.T) {
	danger := []uint64{0, 1, 1 << 31, 1 << 32, 1 << 61, 1 << 63, math.MaxUint64}
	accepted := 0
	for _, dtype := range []safetensors.DType{"U8", "F64", "F4", "F9"} {
		for i := range len(danger) * len(danger) * len(danger) {
			shape := []uint64{danger[i%7], danger[i/7%7], danger[i/49]}
			header := fmt.Sprintf(`{"a":{"dtype":%q,"shape":[%d,%d,%d],"data_offsets":[0,8]}}`, dtype, shape[0], shape[1], shape[2])
			h, err := read(safetensorstest.Raw(header, make([]byte, 8)))
			high, low := bits.Mul64(shape[0], shape[1])
			over, low := bits.Mul64(low, shape[2])
			right := high == 0 && over == 0 && (!dtype.Known() || low*dtype.Bits() == 64 && low < 64)
			if (err == nil) != right {
				t.Errorf("%s %v: %v", dtype, shape, err)
			}
			if err == nil {
				accepted++
				if h.Tensors[0].Elements() != low {
					t.Errorf("%v: %d elements", shape, h.Tensors[0].Elements())
				}
			}
		}
	}
	if accepted == 0 {
		t.Error("no shape was accepted")
	}
}

func TestIndex(t *testing.T) {
	x, err := safetensors.ReadIndex(strings.NewReader(`{
  "metadata": {"total_size": 123},
  "weight_map": {"b": "model-00002-of-00002.safetensors", "a": "model-00001-of-00002.safetensors", "B": "model-00002-of-00002.safetensors"}
}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &safetensors.Index{
		Weights: []safetensors.Weight{
			{Tensor: "b", Shard: "model-00002-of-00002.safetensors"},
			{Tensor: "a", Shard: "model-00001-of-00002.safetensors"},
			{Tensor: "B", Shard: "model-00002-of-00002.safetensors"},
		},
		Shards:    []string{"model-00002-of-00002.safetensors", "model-00001-of-00002.safetensors"},
		TotalSize: new(uint64(123)),
	}
	if diff := cmp.Diff(want, x); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"b", "B"}, x.Of("model-00002-of-00002.safetensors")); diff != "" {
		t.Error(diff)
	}
}

func TestIndexGaps(t *testing.T) {
	for in, want := range map[string]string{
		`{"metadata":{"total_size":1.5},"weight_map":{"a":"a.bin"}}`: "total size unknown: line 1: metadata.total_size is 1.5, want an integer",
		`{"metadata":[],"weight_map":{"a":"a.bin"}}`:                 "total size unknown: line 1: metadata is an array, want an object",
		`{"weight_map":{"a":"a.bin"}}`:                               "",
		`{"metadata":{},"weight_map":{"a":"a.bin"}}`:                 "",
	} {
		x, err := safetensors.ReadIndex(strings.NewReader(in))
		if err != nil || x.TotalSize != nil || strings.Join(x.Gaps, ";") != want {
			t.Errorf("%s: %v, %+v", in, err, x)
		}
	}
}

func TestIndexRefused(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                                  "no weight_map, so this is no index of weights",
		`[]`:                                  "line 1: the value is an array, want an object",
		`{"weight_map":[]}`:                   "line 1: weight_map is an array, want an object",
		`{"weight_map":{}}`:                   "line 1: weight_map is empty, want at least one tensor",
		`{"weight_map":null}`:                 "no weight_map, so this is no index of weights",
		"{\"weight_map\":{\n\"a.w\":1}}":      `line 2: weight_map["a.w"] is 1, want a string`,
		"{\"weight_map\":{\n\"a\":\"../x\"}}": `line 2: weight_map.a names the file "../x", which contains the element ".."`,
		`{"weight_map":{"a":"/etc/passwd"}}`:  `line 1: weight_map.a names the file "/etc/passwd", which is absolute`,
		`{"weight_map":{"a":"C:x"}}`:          `line 1: weight_map.a names the file "C:x", which contains a colon, which Windows takes for a drive or a stream`,
		`{"weight_map":{"a":"x\u0000"}}`:      `line 1: weight_map.a names the file "x\x00", which contains the control character 0x00`,
		`{"weight_map":{"a":"x","a":"y"}}`:    `line 1: the key "a" appears twice`,

		`{"weight_map":{"a":"x"},"Weight_Map":{"a":"y"}}`: `line 1: the keys "weight_map" and "Weight_Map" differ by case only`,
	} {
		_, err := safetensors.ReadIndex(strings.NewReader(in))
		if err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", in, err, want)
		}
	}
}

// pattern is a file whose header is one record again and again, made when it is read, so that the test itself needs no
// memory for it. A record holds one number of seven digits, which counts.
type pattern struct {
	first, record, last string
	records             int
	data                int64
	calls               int
}

func (p *pattern) header() int64 {
	return int64(len(p.first) + p.records*len(p.record) + len(p.last))
}

func (p *pattern) size() int64 { return 8 + p.header() + p.data }

func (p *pattern) ReadAt(b []byte, off int64) (int, error) {
	p.calls++
	n := 0
	for n < len(b) && off+int64(n) < p.size() {
		m := copy(b[n:], p.at(off+int64(n)))
		n += m
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// at is some bytes of the file from off on.
func (p *pattern) at(off int64) string {
	if off < 8 {
		return string(binary.LittleEndian.AppendUint64(nil, uint64(p.header()))[off:])
	}
	off -= 8
	if off < int64(len(p.first)) {
		return p.first[off:]
	}
	off -= int64(len(p.first))
	if i := off / int64(len(p.record)); i < int64(p.records) {
		record := strings.Replace(p.record, "#######", fmt.Sprintf("%07d", i), 1)
		return record[off%int64(len(p.record)):]
	}
	off -= int64(p.records * len(p.record))
	if off < int64(len(p.last)) {
		return p.last[off:]
	}
	return "\x00"
}

func fill(first, record, last string) *pattern {
	if !strings.Contains(record, "#") {
		record = strings.Repeat(record, 5000/len(record))
	}
	room := safetensors.MaxHeader - len(first) - len(last)
	return &pattern{first: first, record: record, last: last, records: room / len(record)}
}

func TestCost(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("measures memory and time of the largest inputs")
	}
	const empty = `:{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`
	for _, c := range []struct {
		name string
		file *pattern
	}{
		{"short names", fill("{", `"#######"`+empty+`,`, `"a"`+empty+`}`)},
		{"usual names", fill("{", `"model.layers.10.mlp.experts.#######.down_proj.weight"`+empty+`,`, `"a"`+empty+`}`)},
		{"long shapes", fill("{", `"#######":{"dtype":"U8","shape":[0`+strings.Repeat(",0", 63)+`],"data_offsets":[0,0]},`, `"a"`+empty+`}`)},
		{"one escaped name", fill(`{"\n`, "a", `"`+empty+`}`)},
		{"metadata", fill(`{"__metadata__":{`, `"#######":"",`, `"a":""}}`)},
		{"fields", fill(`{"a":{`, `"#######":0,`, `"":0}}`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			debug.FreeOSMemory()
			start := time.Now()
			h, err := safetensors.Read(c.file, c.file.size())
			took := time.Since(start)
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			heap := m.HeapSys - m.HeapReleased
			n := 0
			if h != nil {
				n = len(h.Tensors)
			}
			t.Logf("%v, %d requests, %d tensors, heap of %d MiB, %.150v", took.Round(time.Millisecond), c.file.calls, n, heap>>20, err)
			if heap > 350<<20 {
				t.Errorf("heap of %d MiB", heap>>20)
			}
			if e, ok := errors.AsType[*safetensors.Error](err); err != nil && (!ok || len(e.Reason) > 1000) {
				t.Errorf("%T, %.100v", err, err)
			}
		})
	}
}

// twentyThousand is a header as a mixture of experts has it.
func twentyThousand() []byte {
	var tensors []safetensorstest.Tensor
	for i := range 20_000 {
		name := fmt.Sprintf("model.layers.%d.mlp.experts.%d.down_proj.weight", i/256, i%256)
		tensors = append(tensors, safetensorstest.Tensor{Name: name, DType: "BF16", Shape: []uint64{2, 4}})
	}
	return safetensorstest.Write(map[string]string{"format": "pt"}, tensors)
}

func BenchmarkRead(b *testing.B) {
	file := twentyThousand()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := read(file); err != nil {
			b.Fatal(err)
		}
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Whatever the bytes: memory is bounded by the size, the error is of the file, and what is accepted fills the file
// without hole or overlap and is read again from what safetensorstest writes of it.
func FuzzRead(f *testing.F) {
	f.Add(tiny())
	f.Add(safetensorstest.Raw("{}", nil))
	f.Add(safetensorstest.Raw(`{"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"a":{"data_offsets":[0,1],"shape":[1],"dtype":"U8"}}`, make([]byte, 3)))
	f.Add(safetensorstest.Raw(`{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}`, nil))
	f.Add(safetensorstest.Raw(`{"a\u0000":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}}`, make([]byte, 3)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var h *safetensors.Header
		var err error
		got := allocated(func() { h, err = read(data) })
		if most := uint64(64<<10 + 60*len(data)); got > most {
			t.Errorf("%d bytes allocated for %d", got, len(data))
		}
		if err != nil {
			if _, ok := errors.AsType[*safetensors.Error](err); !ok {
				t.Errorf("not an error of the file: %v", err)
			}
			return
		}
		var sum uint64
		var again []safetensorstest.Tensor
		for _, tensor := range h.Tensors {
			sum += tensor.End - tensor.Begin
			begin, end := h.DataOffset+int64(tensor.Begin), h.DataOffset+int64(tensor.End)
			again = append(again, safetensorstest.Tensor{Name: tensor.Name, DType: tensor.DType, Shape: tensor.Shape, Data: data[begin:end]})
		}
		if h.DataOffset+int64(sum) != int64(len(data)) {
			t.Errorf("%d bytes of tensors in a file of %d", sum, len(data))
		}
		h2, err := read(safetensorstest.Write(h.Metadata, again))
		if err != nil || len(h2.Tensors) != len(h.Tensors) || !cmp.Equal(h2.Metadata, h.Metadata) {
			t.Errorf("written again: %v", err)
		}
	})
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata":{"total_size":123},"weight_map":{"b":"m-2.safetensors","a":"d/m-1.safetensors"}}`))
	f.Add([]byte(`{"weight_map":{"a":"../x"}}`))
	f.Add([]byte(`{"metadata":{"total_size":1e3},"weight_map":{"a":"NUL"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := safetensors.ReadIndex(bytes.NewReader(data))
		if err != nil {
			return
		}
		n := 0
		for _, s := range x.Shards {
			n += len(x.Of(s))
			if s == "" || s[0] == '/' || strings.ContainsAny(s, "\\:\x00\n") {
				t.Errorf("shard %q", s)
			}
		}
		if n != len(x.Weights) || n == 0 {
			t.Errorf("%d of %d tensors have a shard", n, len(x.Weights))
		}
	})
}
