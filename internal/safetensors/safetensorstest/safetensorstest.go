// Package safetensorstest writes small safetensors files for tests and fixtures.
package safetensorstest

import (
	"encoding/binary"
	"encoding/json"
	"strings"

	"github.com/llmcheck/llmcheck/internal/safetensors"
)

// Tensor is a tensor to write. Data may be nil for zeros; they are as long as format and shape want.
type Tensor struct {
	Name  string
	DType safetensors.DType
	Shape []uint64
	Data  []byte
}

// Write returns a safetensors file with the tensors one after the other. Metadata may be nil.
func Write(metadata map[string]string, tensors []Tensor) []byte {
	var fields []string
	if metadata != nil {
		fields = append(fields, `"__metadata__":`+text(metadata))
	}
	var data []byte
	for _, t := range tensors {
		begin := len(data)
		data = append(data, content(t)...)
		fields = append(fields, text(t.Name)+":"+text(struct {
			DType   safetensors.DType `json:"dtype"`
			Shape   []uint64          `json:"shape"`
			Offsets [2]int            `json:"data_offsets"`
		}{t.DType, append([]uint64{}, t.Shape...), [2]int{begin, len(data)}}))
	}
	header := "{" + strings.Join(fields, ",") + "}"
	return Raw(header+strings.Repeat(" ", (8-len(header)%8)%8), data)
}

// Raw returns a file with any header, for what Write would never write.
func Raw(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

func content(t Tensor) []byte {
	if t.Data != nil {
		return t.Data
	}
	elements := uint64(1)
	for _, d := range t.Shape {
		elements *= d
	}
	n, err := t.DType.Bytes(elements)
	if err != nil {
		return nil
	}
	return make([]byte, n)
}

// text is JSON of values that always have one: maps sort their keys, so the same input gives the same bytes.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("safetensorstest: " + err.Error())
	}
	return string(b)
}
