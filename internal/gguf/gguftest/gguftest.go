// Package gguftest writes small GGUF files for tests and fixtures.
package gguftest

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/llmcheck/llmcheck/internal/gguf"
)

// KV is a key with its value: bool, string, an integer or float of fixed width, or a slice of one of them; []any is an
// array of arrays, whose elements are slices of one type.
type KV struct {
	Key   string
	Value any
}

// Tensor is a tensor to write. Data may be nil for zeros; they are as long as type and dimensions want.
type Tensor struct {
	Name string
	Type gguf.Type
	Dims []uint64
	Data []byte
}

// Write returns a GGUF file of version 3. It panics on a value of a type that the format does not have.
func Write(kv []KV, tensors []Tensor) []byte {
	alignment := uint64(32)
	for _, e := range kv {
		if n, ok := e.Value.(uint32); ok && e.Key == "general.alignment" {
			alignment = uint64(n)
		}
	}
	b := []byte("GGUF\x03\x00\x00\x00")
	b = binary.LittleEndian.AppendUint64(b, uint64(len(tensors)))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(kv)))
	for _, e := range kv {
		b = AppendString(b, e.Key)
		b = AppendValue(b, e.Value)
	}
	var data []byte
	for _, t := range tensors {
		b = AppendTensor(b, t, uint64(len(data)))
		data = pad(append(data, content(t)...), alignment)
	}
	if len(tensors) > 0 {
		b = pad(b, alignment)
	}
	return append(b, data...)
}

// AppendTensor appends the description of a tensor.
func AppendTensor(b []byte, t Tensor, offset uint64) []byte {
	b = AppendString(b, t.Name)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(t.Dims)))
	for _, d := range t.Dims {
		b = binary.LittleEndian.AppendUint64(b, d)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(t.Type))
	return binary.LittleEndian.AppendUint64(b, offset)
}

func content(t Tensor) []byte {
	if t.Data != nil {
		return t.Data
	}
	elements := uint64(1)
	for _, d := range t.Dims {
		elements *= d
	}
	n, err := t.Type.Bytes(elements)
	if err != nil {
		return nil
	}
	return make([]byte, n)
}

func pad(b []byte, alignment uint64) []byte {
	for uint64(len(b))%alignment != 0 {
		b = append(b, 0)
	}
	return b
}

// AppendString appends length and text.
func AppendString(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

// AppendValue appends type and content of a value.
func AppendValue(b []byte, v any) []byte {
	t, content := encode(v)
	return append(binary.LittleEndian.AppendUint32(b, uint32(t)), content...)
}

func encode(v any) (gguf.ValueType, []byte) {
	switch v := v.(type) {
	case string:
		return gguf.String, AppendString(nil, v)
	case bool:
		if v {
			return gguf.Bool, []byte{1}
		}
		return gguf.Bool, []byte{0}
	case uint8:
		return gguf.Uint8, []byte{v}
	case int8:
		return gguf.Int8, []byte{byte(v)}
	case uint16:
		return gguf.Uint16, binary.LittleEndian.AppendUint16(nil, v)
	case int16:
		return gguf.Int16, binary.LittleEndian.AppendUint16(nil, uint16(v))
	case uint32:
		return gguf.Uint32, binary.LittleEndian.AppendUint32(nil, v)
	case int32:
		return gguf.Int32, binary.LittleEndian.AppendUint32(nil, uint32(v))
	case float32:
		return gguf.Float32, binary.LittleEndian.AppendUint32(nil, math.Float32bits(v))
	case uint64:
		return gguf.Uint64, binary.LittleEndian.AppendUint64(nil, v)
	case int64:
		return gguf.Int64, binary.LittleEndian.AppendUint64(nil, uint64(v))
	case float64:
		return gguf.Float64, binary.LittleEndian.AppendUint64(nil, math.Float64bits(v))
	}
	return gguf.Array, array(v)
}

func array(v any) []byte {
	switch v := v.(type) {
	case []string:
		return elements(gguf.String, v)
	case []bool:
		return elements(gguf.Bool, v)
	case []uint8:
		return elements(gguf.Uint8, v)
	case []int32:
		return elements(gguf.Int32, v)
	case []uint32:
		return elements(gguf.Uint32, v)
	case []float32:
		return elements(gguf.Float32, v)
	case []uint64:
		return elements(gguf.Uint64, v)
	case []any:
		return elements(gguf.Array, v)
	}
	panic(fmt.Sprintf("gguftest: a value of type %T", v))
}

func elements[T any](t gguf.ValueType, list []T) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(t))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(list)))
	for _, e := range list {
		_, content := encode(e)
		b = append(b, content...)
	}
	return b
}
