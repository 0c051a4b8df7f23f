package gguf

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// ValueType is the type of a value, by the numbers of the format.
type ValueType uint32

// The types of values.
const (
	Uint8 ValueType = iota
	Int8
	Uint16
	Int16
	Uint32
	Int32
	Float32
	Bool
	String
	Array
	Uint64
	Int64
	Float64
)

func (t ValueType) String() string {
	names := [...]string{
		"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "bool", "string", "array", "uint64", "int64",
		"float64",
	}
	if uint64(t) >= uint64(len(names)) {
		return fmt.Sprintf("value type %d", uint32(t))
	}
	return names[t]
}

// size is the bytes of a value of fixed size, else 0.
func (t ValueType) size() uint64 {
	switch t {
	case Uint8, Int8, Bool:
		return 1
	case Uint16, Int16:
		return 2
	case Uint32, Int32, Float32:
		return 4
	case Uint64, Int64, Float64:
		return 8
	default:
		return 0
	}
}

// smallest is the fewest bytes that a value takes, 0 for an unknown type.
func (t ValueType) smallest() uint64 {
	switch t {
	case String:
		return 8
	case Array:
		return 12
	default:
		return t.size()
	}
}

// Value is the value of a key. Of a long array only Elem and Len are kept, and of a string over the limit only Len.
type Value struct {
	Type ValueType
	Elem ValueType // of an array: the type of its elements
	Len  uint64    // of an array: its elements; of a string: its bytes
	Kept bool      // whether the content is here

	scalar uint64   // bits of a number or boolean
	raw    string   // a string, or the bytes of an array of fixed-size elements
	text   []string // an array of strings
}

// Strings is the content of an array of strings that was kept.
func (v Value) Strings() ([]string, bool) {
	return v.text, v.Type == Array && v.Elem == String && v.Kept
}

// Uints is the content of an array of integers that was kept, if none is negative. An array of booleans gives 0 and 1.
func (v Value) Uints() ([]uint64, bool) {
	size := v.Elem.size()
	if v.Type != Array || !v.Kept || size == 0 {
		return nil, false
	}
	list := make([]uint64, 0, v.Len)
	for i := uint64(0); i < uint64(len(v.raw)); i += size {
		n, ok := (Value{Type: v.Elem, scalar: little([]byte(v.raw[i : i+size]))}).uint()
		if !ok {
			return nil, false
		}
		list = append(list, n)
	}
	return list, true
}

func little(b []byte) uint64 {
	var n [8]byte
	copy(n[:], b)
	return binary.LittleEndian.Uint64(n[:])
}

// uint is an integer or boolean that is not negative.
func (v Value) uint() (uint64, bool) {
	n, ok := v.int()
	if v.Type == Uint64 {
		return v.scalar, true
	}
	return uint64(n), ok && n >= 0
}

// int is an integer or boolean that fits.
func (v Value) int() (int64, bool) {
	switch v.Type {
	case Int8:
		return int64(int8(v.scalar)), true
	case Int16:
		return int64(int16(v.scalar)), true
	case Int32:
		return int64(int32(v.scalar)), true
	case Uint8, Uint16, Uint32, Bool, Int64:
		return int64(v.scalar), true
	case Uint64:
		return int64(v.scalar), v.scalar <= math.MaxInt64
	default:
		return 0, false
	}
}

// float is a number, finite or not.
func (v Value) float() (float64, bool) {
	switch v.Type {
	case Float32:
		return float64(math.Float32frombits(uint32(v.scalar))), true
	case Float64:
		return math.Float64frombits(v.scalar), true
	default:
		return 0, false
	}
}

// String prints the value for people: a number, true, a quoted string, or "array of 32000 strings".
func (v Value) String() string {
	switch v.Type {
	case String:
		if !v.Kept {
			return fmt.Sprintf("string of %d bytes", v.Len)
		}
		return fmt.Sprintf("%q", v.raw)
	case Array:
		return fmt.Sprintf("array of %d %s", v.Len, v.Elem)
	case Bool:
		return strconv.FormatBool(v.scalar != 0)
	case Float32, Float64:
		f, _ := v.float()
		return fmt.Sprint(f)
	case Uint64:
		return strconv.FormatUint(v.scalar, 10)
	default:
		n, _ := v.int()
		return strconv.FormatInt(n, 10)
	}
}
