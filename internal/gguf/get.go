package gguf

import (
	"fmt"

	"github.com/llmcheck/llmcheck/internal/printable"
)

// Get is the value of a key.
func (h *Header) Get(key string) (Value, bool) {
	i, ok := h.index[key]
	if !ok {
		return Value{}, false
	}
	return h.Values[i].Value, true
}

// Architecture is general.architecture, or empty.
func (h *Header) Architecture() string {
	s, _, _ := h.String("general.architecture")
	return s
}

// Arch is the key of the architecture with the name: Arch("block_count") is "llama.block_count" in a Llama.
func (h *Header) Arch(name string) string { return h.Architecture() + "." + name }

// String is the string under the key. As with all getters, ok is false and err nil if the key is absent; a value of
// another type, out of range or not kept is an error with key and value.
func (h *Header) String(key string) (string, bool, error) {
	return get(h, key, "a string", func(v Value) (string, bool) { return v.raw, v.Type == String && v.Kept })
}

// Uint is the integer of 0 or more under the key, of any width.
func (h *Header) Uint(key string) (uint64, bool, error) {
	return get(h, key, "an integer that is not negative", func(v Value) (uint64, bool) {
		n, ok := v.uint()
		return n, ok && v.Type != Bool
	})
}

// Int is the integer under the key, of any width.
func (h *Header) Int(key string) (int64, bool, error) {
	return get(h, key, "an integer", func(v Value) (int64, bool) {
		n, ok := v.int()
		return n, ok && v.Type != Bool
	})
}

// Strings is the array of strings under the key.
func (h *Header) Strings(key string) ([]string, bool, error) {
	return get(h, key, "a short array of strings", Value.Strings)
}

// Uints is the array of integers or booleans under the key, none of them negative. One integer counts as an array of
// one: keys such as head_count_kv are written either way.
func (h *Header) Uints(key string) ([]uint64, bool, error) {
	return get(h, key, "a short array of integers that are not negative", func(v Value) ([]uint64, bool) {
		if n, ok := v.uint(); ok {
			return []uint64{n}, true
		}
		return v.Uints()
	})
}

func get[T any](h *Header, key, want string, as func(Value) (T, bool)) (value T, ok bool, err error) {
	v, found := h.Get(key)
	if !found {
		return value, false, nil
	}
	if value, ok = as(v); ok {
		return value, true, nil
	}
	var zero T
	return zero, false, fmt.Errorf("%s is %s of type %s, want %s", key, printable.Short(v.String()), v.Type, want)
}
