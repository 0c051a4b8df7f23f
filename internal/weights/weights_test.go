package weights_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/llmcheck/llmcheck/internal/weights"
)

func safetensors(n uint64) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, n), `{"__metadata__":{"format":"pt"}}`...)
}

func archive(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("archive/data.pkl")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write([]byte("\x80\x02}."))
	w.Close()
	return b.Bytes()
}

func TestKinds(t *testing.T) {
	zipped := archive(t)
	commented := slices.Concat(zipped[:len(zipped)-2], []byte{5, 0}, []byte("hello"))
	for _, c := range []struct {
		name        string
		first, last []byte
		want        []weights.Kind
	}{
		{"empty", nil, nil, []weights.Kind{weights.Unknown}},
		{"text", []byte("hello"), []byte("hello"), []weights.Kind{weights.Unknown}},
		{"GGUF", []byte("GGUF\x03\x00\x00\x00"), nil, []weights.Kind{weights.GGUF}},
		{"safetensors", safetensors(32), nil, []weights.Kind{weights.Safetensors}},
		{"safetensors too long", safetensors(100_000_001), nil, []weights.Kind{weights.Unknown}},
		{"safetensors of 640 bytes", safetensors(0x280), nil, []weights.Kind{weights.Safetensors}},
		{"safetensors of 1408 bytes", safetensors(0x580), nil, []weights.Kind{weights.Safetensors}},
		{"safetensors of 5.7 MB", safetensors(0x580280), nil, []weights.Kind{weights.Safetensors}},
		{
			"safetensors and pickle", []byte("\x80\x04X\x05\x00\x00\x00\x00{\"ab.\":1}"), nil,
			[]weights.Kind{weights.Safetensors, weights.Pickle},
		},
		{"pickle 2", []byte("\x80\x02}q\x00."), nil, []weights.Kind{weights.Pickle}},
		{"pickle 4 in a frame", []byte("\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00\x8c\x02osc"), nil, []weights.Kind{weights.Pickle}},
		{"pickle that calls", []byte("\x80\x02cos\nsystem\nq\x00X\x02\x00\x00\x00ls\x85R."), nil, []weights.Kind{weights.Pickle}},
		{"protocol 6", []byte("\x80\x06}."), nil, []weights.Kind{weights.Unknown}},
		{"torch", zipped, zipped, []weights.Kind{weights.Zip}},
		{"7z", []byte("7z\xbc\xaf\x27\x1c\x00\x04"), nil, []weights.Kind{weights.SevenZip}},
		{"pointer", []byte("version https://git-lfs.github.com/spec/v1\noid"), nil, []weights.Kind{weights.Pointer}},
		{"zip after GGUF", []byte("GGUF\x03\x00\x00\x00"), zipped, []weights.Kind{weights.GGUF, weights.Zip}},
		{"zip with a comment", safetensors(32), commented, []weights.Kind{weights.Safetensors, weights.Zip}},
		{"end record that is none", safetensors(32), []byte("PK\x05\x06 and so on, and so forth"), []weights.Kind{weights.Safetensors}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := weights.Kinds(c.first, c.last); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if got := weights.Sniff(c.first); got != c.want[0] {
				t.Errorf("Sniff %v, want %v", got, c.want[0])
			}
		})
	}
}

// More of the file never takes a kind away that is not Unknown or Pickle, and there is always an answer.
func FuzzKinds(f *testing.F) {
	f.Add([]byte("\x80\x04X\x05\x00\x00\x00\x00{\"ab."), []byte("PK\x05\x06"))
	f.Add(safetensors(0x280), []byte{})
	f.Add([]byte("\x80\x02X\xff\xff\xff\xff"), []byte{})
	f.Add([]byte("\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff"), []byte{})
	f.Fuzz(func(t *testing.T, first, last []byte) {
		kinds := weights.Kinds(first, last)
		if len(kinds) == 0 || len(kinds) > 1 && slices.Contains(kinds, weights.Unknown) {
			t.Errorf("kinds %v", kinds)
		}
		if bytes.HasPrefix(first, []byte("\x80\x02}.")) && !slices.Contains(kinds, weights.Pickle) {
			t.Error("a pickle passed")
		}
		for _, k := range kinds {
			if k.String() == "" {
				t.Error("a kind without a name")
			}
		}
	})
}
