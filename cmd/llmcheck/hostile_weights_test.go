package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
)

// ggufHead is a header that claims so many tensors and keys, and what follows.
func ggufHead(version uint32, tensors, keys uint64, rest ...[]byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte("GGUF"), version)
	b = binary.LittleEndian.AppendUint64(b, tensors)
	b = binary.LittleEndian.AppendUint64(b, keys)
	for _, r := range rest {
		b = append(b, r...)
	}
	return b
}

// key is a key with its type and the bytes of its value.
func key(name string, kind uint32, value ...uint64) []byte {
	b := binary.LittleEndian.AppendUint32(gguftest.AppendString(nil, name), kind)
	for _, v := range value {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

// array is a key with an array of so many elements.
func array(name string, elem uint32, n uint64) []byte {
	b := binary.LittleEndian.AppendUint32(key(name, 9), elem)
	return binary.LittleEndian.AppendUint64(b, n)
}

func tensor(dims []uint64, kind uint32, offset uint64) []byte {
	b := binary.LittleEndian.AppendUint32(gguftest.AppendString(nil, "t"), uint32(len(dims)))
	for _, d := range dims {
		b = binary.LittleEndian.AppendUint64(b, d)
	}
	b = binary.LittleEndian.AppendUint32(b, kind)
	return binary.LittleEndian.AppendUint64(b, offset)
}

// weight is a folder with a permissive card and one weight file, which is said to be longer than its bytes.
func weight(name string, data []byte, size int64) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		write(t, dir, "README.md", mitCard)
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if size > int64(len(data)) {
			if err := os.Truncate(f, size); err != nil {
				t.Skip("no sparse files here:", err)
			}
		}
	}
}

func TestHostileGGUF(t *testing.T) {
	many := func(n int, one func(i int) []byte) []byte {
		var b []byte
		for i := range n {
			b = append(b, one(i)...)
		}
		return b
	}
	nested := ggufHead(3, 0, 1, key("a", 9))
	for range 100_000 {
		nested = append(nested, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)
	}
	attacks := []attack{
		{name: "honest", make: weight("m.gguf", gguftest.Write([]gguftest.KV{{Key: "general.license", Value: "mit"}}, nil), 0), want: "allowed"},
		{name: "2^64-1 tensors and keys", make: weight("m.gguf", ggufHead(3, math.MaxUint64, math.MaxUint64), 40<<30), want: atBestUndetermined},
		{name: "a million tensors and 65,536 keys in zeros", make: weight("m.gguf", ggufHead(3, 1_000_000, 65_536), 40<<30), want: atBestUndetermined},
		{name: "a million tensors in zeros", make: weight("m.gguf", ggufHead(3, 1_000_000, 0), 40<<30), want: atBestUndetermined},
		{name: "a million tensors", make: weight("m.gguf", ggufHead(3, 1_000_000, 0, many(1_000_000, func(i int) []byte {
			return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(
				binary.LittleEndian.AppendUint32(gguftest.AppendString(nil, strconv.Itoa(i)), 0), 0), 0)
		})), 40<<30), want: atBestUndetermined},
		{name: "string of 2^63", make: weight("m.gguf", ggufHead(3, 0, 1, key("general.license", 8, 1<<63)), 40<<30), want: atBestUndetermined},
		{name: "string of 15 MiB of zeros", make: weight("m.gguf", ggufHead(3, 0, 1, key("general.license", 8, 15<<20)), 40<<30), want: atBestUndetermined},
		{name: "key of 2^64-1", make: weight("m.gguf", ggufHead(3, 0, 1, key("", 8)[:0], binary.LittleEndian.AppendUint64(nil, math.MaxUint64)), 40<<30), want: atBestUndetermined},
		{name: "array of 2^62", make: weight("m.gguf", ggufHead(3, 0, 1, array("a", 8, 1<<62)), 40<<30), want: atBestUndetermined},
		{name: "array of 64 Mi empty strings", make: weight("m.gguf", ggufHead(3, 0, 1, array("a", 8, 64<<20)), 40<<30), want: atBestUndetermined},
		{name: "array of 64 Mi empty arrays", make: weight("m.gguf", ggufHead(3, 0, 1, array("a", 9, 64<<20)), 40<<30), want: atBestUndetermined},
		{name: "array of 64 Mi numbers", make: weight("m.gguf", ggufHead(3, 0, 1, array("a", 10, 64<<20)), 40<<30), want: anyOutcome},
		{name: "65,536 arrays of 64 Mi bytes", make: weight("m.gguf", ggufHead(3, 0, 65_536, many(65_536, func(i int) []byte {
			return array(fmt.Sprint("k", i), 0, 64<<20)
		})), 1<<42), want: atBestUndetermined},
		{name: "60,000 keys of 60 kB", make: weight("m.gguf", ggufHead(3, 0, 60_000, many(400, func(i int) []byte {
			return append(key(strconv.Itoa(i)+strings.Repeat("k", 60_000), 0), 1)
		})), 40<<30), want: atBestUndetermined},
		{name: "100,000 nested arrays", make: weight("m.gguf", nested, 40<<30), want: atBestUndetermined},
		{name: "key twice", make: weight("m.gguf", gguftest.Write([]gguftest.KV{{Key: "general.license", Value: "cc-by-nc-4.0"}, {Key: "general.license", Value: "mit"}}, nil), 0), want: atBestUndetermined},
		{name: "license that is a number", make: weight("m.gguf", gguftest.Write([]gguftest.KV{{Key: "general.license", Value: uint32(7)}}, nil), 0), want: atBestUndetermined},
		{name: "license in an array of arrays", make: weight("m.gguf", gguftest.Write([]gguftest.KV{{Key: "general.license", Value: []any{[]string{"cc-by-nc-4.0"}}}}, nil), 0), want: atBestUndetermined},
		{name: "license in a long array", make: weight("m.gguf", gguftest.Write([]gguftest.KV{{Key: "general.license", Value: make([]string, 5000)}}, nil), 0), want: atBestUndetermined},
		{name: "license against the card", make: weight("m.gguf", gguftest.Write([]gguftest.KV{{Key: "general.license", Value: "cc-by-nc-4.0"}}, nil), 0), want: "prohibited"},
		{name: "license behind NUL", make: weight("m.gguf", gguftest.Write([]gguftest.KV{{Key: "general.license", Value: "mit\x00cc-by-nc-4.0"}}, nil), 0), want: anyOutcome},
		{name: "2^64-1 base models", make: weight("m.gguf", gguftest.Write([]gguftest.KV{{Key: "general.base_model.count", Value: uint64(math.MaxUint64)}}, nil), 0), want: atBestUndetermined},
		{name: "-1 base models", make: weight("m.gguf", gguftest.Write([]gguftest.KV{{Key: "general.base_model.count", Value: int32(-1)}}, nil), 0), want: atBestUndetermined},
		{name: "base model inside", make: weight("m.gguf", gguftest.Write([]gguftest.KV{
			{Key: "general.base_model.count", Value: uint32(1)},
			{Key: "general.base_model.0.repo_url", Value: "http://169.254.169.254/a/b"},
		}, nil), 0), want: atBestUndetermined},
		{name: "poisoned keys", make: weight("m.gguf", gguftest.Write([]gguftest.KV{
			{Key: "general.license", Value: poison},
			{Key: "general.license.link", Value: poison},
			{Key: "general.base_model.count", Value: uint32(1)},
			{Key: "general.base_model.0.name", Value: poison},
			{Key: "general.architecture", Value: poison},
			{Key: poison, Value: strings.Repeat("x", 2<<20)},
			{Key: "general.datasets", Value: []string{poison}},
		}, nil), 0), want: atBestUndetermined},
		{name: "unknown type", make: weight("m.gguf", ggufHead(3, 0, 1, key("a", 99, 1)), 40<<30), want: atBestUndetermined},
		{name: "boolean of 7", make: weight("m.gguf", ggufHead(3, 0, 1, key("a", 7), []byte{7}), 1<<20), want: atBestUndetermined},
		{name: "version 1", make: weight("m.gguf", ggufHead(1, 0, 0), 1<<20), want: atBestUndetermined, says: "version 1"},
		{name: "big-endian", make: weight("m.gguf", ggufHead(3<<24, 0, 0), 1<<20), want: atBestUndetermined, says: "big-endian"},
		{name: "version 4", make: weight("m.gguf", ggufHead(4, 0, 0), 1<<20), want: atBestUndetermined, says: "newer than this program"},
		{name: "cut", make: weight("m.gguf", []byte("GGUF\x03"), 0), want: atBestUndetermined},
		{name: "empty", make: weight("m.gguf", nil, 0), want: atBestUndetermined},
		{name: "only zeros", make: weight("m.gguf", nil, 40<<30), want: atBestUndetermined},
		{name: "safetensors by another name", make: weight("m.gguf", safe(`{}`), 0), want: anyOutcome, says: "by its content safetensors"},
		{name: "pickle by another name", make: weight("m.gguf", []byte("\x80\x02cos\nsystem\nX\x01\x00\x00\x00x\x85R."), 0), want: atBestUndetermined, says: "pickle"},
		{name: "zip by another name", make: weight("m.gguf", []byte("PK\x03\x04xxxxxxxxxxxxxxxxxxxxxxxxxx"), 0), want: atBestUndetermined, says: "zip"},
	}
	for _, a := range []uint32{0, 1, 3, 1 << 31, math.MaxUint32} {
		attacks = append(attacks, attack{
			name: fmt.Sprint("alignment ", a), want: atBestUndetermined, says: "general.alignment",
			make: weight("m.gguf", ggufHead(3, 0, 1, key("general.alignment", 4), binary.LittleEndian.AppendUint32(nil, a)), 1<<20),
		})
	}
	edges := []uint64{0, 1 << 31, 1 << 32, 1 << 61, 1 << 63, math.MaxUint64}
	for i, d := range edges {
		e := edges[(i+3)%len(edges)]
		attacks = append(attacks, attack{name: fmt.Sprintf("dimensions %#x and %#x", d, e), want: anyOutcome, // of no elements: nothing is false
			make: weight("m.gguf", ggufHead(3, 1, 0, tensor([]uint64{d, e, d, e}, 0, 0)), 1<<20)})
	}
	attacks = append(attacks,
		attack{name: "5 dimensions", make: weight("m.gguf", ggufHead(3, 1, 0, tensor(make([]uint64, 5), 0, 0)), 1<<20), want: atBestUndetermined},
		attack{name: "2^32-1 dimensions", make: weight("m.gguf", ggufHead(3, 1, 0, gguftest.AppendString(nil, "t"), []byte{255, 255, 255, 255}), 40<<30), want: atBestUndetermined},
		attack{name: "tensor beyond the end", make: weight("m.gguf", ggufHead(3, 1, 0, tensor([]uint64{1 << 30}, 0, 0)), 1<<20), want: atBestUndetermined},
		attack{name: "offset of 2^64-32", make: weight("m.gguf", ggufHead(3, 1, 0, tensor([]uint64{32}, 0, math.MaxUint64-31)), 1<<20), want: atBestUndetermined},
		attack{name: "unknown number format", make: weight("m.gguf", ggufHead(3, 1, 0, tensor([]uint64{32}, 999, 0)), 1<<20), want: anyOutcome},
	)
	runAttacks(t, attacks)
}

// safe is a safetensors file of a header.
func safe(header string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
}

func TestHostileSafetensors(t *testing.T) {
	shard := func(header string, size int64) func(*testing.T, string) {
		return weight("model.safetensors", safe(header), size)
	}
	one := func(shape, offsets string) string {
		return fmt.Sprintf(`{"a":{"dtype":"F32","shape":[%s],"data_offsets":[%s]}}`, shape, offsets)
	}
	long := func(unit string) string {
		return "{" + strings.Repeat(unit, (99_999_990-2)/len(unit)) + "}"
	}
	attacks := []attack{
		{name: "honest", make: shard(one("2", "0,8"), 8+int64(len(one("2", "0,8")))+8), want: "allowed"},
		{name: "length of 2^64-1", make: weight("model.safetensors", append(binary.LittleEndian.AppendUint64(nil, math.MaxUint64), '{'), 1<<40), want: atBestUndetermined},
		{name: "length of 100,000,001", make: weight("model.safetensors", append(binary.LittleEndian.AppendUint64(nil, 100_000_001), '{'), 1<<40), want: atBestUndetermined},
		{name: "length of 0", make: weight("model.safetensors", make([]byte, 9), 0), want: atBestUndetermined},
		{name: "length beyond the end", make: weight("model.safetensors", append(binary.LittleEndian.AppendUint64(nil, 90_000_000), '{'), 1<<10), want: atBestUndetermined},
		{name: "100 MB of zeros", make: weight("model.safetensors", append(binary.LittleEndian.AppendUint64(nil, 100_000_000), '{'), 1<<40), want: atBestUndetermined, memory: 350},
		{name: "100 MB of blanks", make: shard(long(" "), 0), want: anyOutcome, memory: 350, time: 4 * time.Second},
		{name: "100 MB of brackets", make: shard(long("["), 0), want: atBestUndetermined, memory: 350, time: 4 * time.Second},
		{name: "100 MB of one key", make: shard(`{"`+strings.Repeat("k", 99_000_000)+`":1}`, 0), want: atBestUndetermined, memory: 350, time: 4 * time.Second},
		{name: "100 MB of metadata", make: shard(`{"__metadata__":{"x":"`+strings.Repeat("k", 99_000_000)+`"}}`, 0), want: anyOutcome, memory: 350, time: 4 * time.Second},
		{name: "100 MB of escapes", make: shard(`{"__metadata__":{"x":"`+strings.Repeat(`\u0041`, 16_000_000)+`"}}`, 0), want: anyOutcome, memory: 350, time: 4 * time.Second},
		{name: "100 MB of tensors", make: shard(tensors(1_300_000), 0), want: atBestUndetermined, memory: 350, time: 6 * time.Second},
		{name: "100 MB of dimensions", make: shard(`{"a":{"dtype":"F32","data_offsets":[0,0],"shape":[`+strings.Repeat("1,", 49_000_000)+`1]}}`, 0), want: atBestUndetermined, memory: 350, time: 4 * time.Second},
		{name: "shape that wraps", make: shard(one("4294967296,4294967296,2", "0,8"), 1<<10), want: atBestUndetermined},
		{name: "bits that wrap", make: shard(one("4611686018427387904", "0,0"), 1<<10), want: atBestUndetermined},
		{name: "negative shape", make: shard(one("-2", "0,8"), 1<<10), want: atBestUndetermined},
		{name: "fractional shape", make: shard(one("2.0", "0,8"), 1<<10), want: atBestUndetermined},
		{name: "shape 1e400", make: shard(one("1e400", "0,8"), 1<<10), want: atBestUndetermined},
		{name: "offsets backwards", make: shard(one("2", "8,0"), 1<<10), want: atBestUndetermined},
		{name: "offsets beyond the end", make: shard(one("2", "0,8"), 0), want: atBestUndetermined},
		{name: "three offsets", make: shard(one("2", "0,8,9"), 1<<10), want: atBestUndetermined},
		{name: "overlap", make: shard(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[4,12]}}`, 8+108+12), want: atBestUndetermined},
		{name: "hole", make: shard(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[8,16]}}`, 1<<10), want: atBestUndetermined},
		{name: "name twice", make: shard(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), want: atBestUndetermined},
		{name: "name twice by an escape", make: shard(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), want: atBestUndetermined},
		{name: "name with NUL", make: shard(`{"a\u0000b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), want: atBestUndetermined},
		{name: "metadata twice", make: shard(`{"__metadata__":{"license":"cc-by-nc-4.0"},"__metadata__":{"license":"mit"}}`, 0), want: atBestUndetermined},
		{name: "license in the metadata", make: shard(`{"__metadata__":{"modelspec.license":"cc-by-nc-4.0"}}`, 0), want: atBestUndetermined},
		{name: "metadata of numbers", make: shard(`{"__metadata__":{"license":1}}`, 0), want: atBestUndetermined},
		{name: "100,000 levels", make: shard(`{"__metadata__":`+strings.Repeat(`{"a":`, 100_000)+"1"+strings.Repeat("}", 100_000)+"}", 0), want: atBestUndetermined},
		{name: "trailing bytes in the header", make: shard(`{} {"a":1}`, 0), want: atBestUndetermined},
		{name: "not UTF-8", make: shard("{\"\xff\xfe\":1}", 0), want: atBestUndetermined},
		{name: "poisoned header", make: shard(`{"__metadata__":{"modelspec.license":"\u001b[31m\n::error::x ##[error] \u202e"},"\u001b]0;":1}`, 0), want: atBestUndetermined},
		{name: "unknown number format", make: shard(`{"a":{"dtype":"F8_X","shape":[8],"data_offsets":[0,8]}}`, 8+54+8), want: anyOutcome},
		{name: "also a pickle", make: weight("model.safetensors", pickled(), 0), want: anyOutcome},
		{name: "also a zip archive", make: weight("model.safetensors", append(safe(`{"a":{"dtype":"U8","shape":[22],"data_offsets":[0,22]}}`),
			"PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"...), 0), want: anyOutcome},
		{name: "pickle by another name", make: weight("model.safetensors", []byte("\x80\x04cos\nsystem\nX\x01\x00\x00\x00x\x85R."), 0), want: atBestUndetermined, says: "pickle"},
	}
	runAttacks(t, attacks)
}

func tensors(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, i)
	}
	b.WriteByte('}')
	return b.String()[:min(b.Len(), 99_999_999)]
}

// pickled is a safetensors file whose length reads as the beginning of a pickle.
func pickled() []byte {
	const length = 0x80 | 0x02<<8 // PROTO 2
	return safe("{" + strings.Repeat(" ", length-2) + "}")
}

func TestHostileConfigs(t *testing.T) {
	config := func(name, data string) func(*testing.T, string) { return files("README.md", mitCard, name, data) }
	adapter := `"peft_type":"LORA"`
	runAttacks(t, []attack{
		{name: "honest", make: config("config.json", `{"architectures":["LlamaForCausalLM"],"model_type":"llama"}`), want: "allowed"},
		{name: "key twice", make: config("config.json", `{"model_type":"a","model_type":"b"}`), want: atBestUndetermined},
		{name: "base model twice", make: config("adapter_config.json", `{`+adapter+`,"base_model_name_or_path":"a/b","base_model_name_or_path":"c/d"}`), want: atBestUndetermined},
		{name: "base model in another case", make: config("adapter_config.json", `{`+adapter+`,"base_model_name_or_path":"a/b","Base_Model_Name_Or_Path":"c/d"}`), want: atBestUndetermined},
		{name: "base model with a long s", make: config("adapter_config.json", `{`+adapter+`,"ba\u017fe_model_name_or_path":"c/d"}`), want: atBestUndetermined},
		{name: "base model that is a list", make: config("adapter_config.json", `{`+adapter+`,"base_model_name_or_path":["a/b"]}`), want: atBestUndetermined},
		{name: "base model on the disk", make: config("adapter_config.json", `{`+adapter+`,"base_model_name_or_path":"/etc/passwd"}`), want: atBestUndetermined},
		{name: "depth of 100,000", make: config("config.json", strings.Repeat(`{"a":`, 100_000)+"1"+strings.Repeat("}", 100_000)), want: atBestUndetermined},
		{name: "depth of 8,000,000", make: config("config.json", strings.Repeat(`[`, 8_000_000)), want: atBestUndetermined},
		{name: "15 MiB of keys", make: config("config.json", "{"+strings.Repeat(`"k":1,`, 2_600_000)+`"z":1}`), want: atBestUndetermined, memory: 350},
		{name: "15 MiB of different keys", make: config("config.json", different(1_200_000)), want: anyOutcome, memory: 300},
		{name: "15 MiB of labels", make: config("config.json", `{"id2label":`+different(1_100_000)+`}`), want: anyOutcome, memory: 300},
		{name: "15 MiB of numbers", make: config("config.json", `{"a":[`+strings.Repeat(`1,`, 7_500_000)+`1]}`), want: anyOutcome, memory: 700},
		{name: "15 MiB of empty lists", make: config("config.json", `{"a":[`+strings.Repeat(`[],`, 5_000_000)+`1]}`), want: anyOutcome, memory: 700},
		{name: "17 MiB", make: config("config.json", `{"a":"`+strings.Repeat("x", 17<<20)+`"}`), want: atBestUndetermined, memory: 128},
		{name: "trailing bytes", make: config("config.json", `{"model_type":"a"} {"model_type":"b"}`), want: atBestUndetermined},
		{name: "not UTF-8", make: config("config.json", "{\"model_type\":\"\xff\"}"), want: atBestUndetermined},
		{name: "byte order mark", make: config("config.json", "\ufeff{\"model_type\":\"a\"}"), want: anyOutcome},
		{name: "NaN", make: config("config.json", `{"a":NaN}`), want: anyOutcome},
		{name: "empty", make: config("config.json", ``), want: atBestUndetermined},
		{name: "a list", make: config("config.json", `[1]`), want: atBestUndetermined},
		{name: "poisoned config", make: config("config.json", `{"architectures":["\u001b[31m\n::error::x"],"model_type":"\u202e##[error]","_name_or_path":"a/\u001b","auto_map":{"\u001bAuto":"x\u001b\n::error::--y.Z"}}`), want: anyOutcome},
		{name: "poisoned adapter", make: config("adapter_config.json", `{"base_model_name_or_path":"\u001b[31m\n::error::x##[error]\u202e"}`), want: atBestUndetermined},
		{name: "merge of aliases", make: config("mergekit_config.yml", "a: &a [x,x,x,x,x,x,x,x]\nmodels: [*a,*a,*a]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d]\nmodules: *e\n"), want: atBestUndetermined},
		{name: "merge of 900 kB", make: config("mergekit_config.yml", "models:\n"+strings.Repeat("- model: a/b\n", 60_000)), want: atBestUndetermined, memory: 200},
		{name: "poisoned merge", make: config("mergekit_config.yml", "models:\n- model: \"\\e[31m\\n::error::x##[error]\"\n"), want: atBestUndetermined},
	})
}

func different(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%d":1`, i)
	}
	b.WriteByte('}')
	return b.String()
}
