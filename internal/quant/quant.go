// Package quant knows how the numbers of a model are stored: which number format each tensor has, and how many bytes
// that takes with scales, zero points, group indexes and padding. What stays in 16 or 32 bits (embedding, head, norms,
// routers, whatever a configuration excludes) is decided tensor by tensor and never by a factor over the whole.
package quant

import "github.com/llmcheck/llmcheck/internal/arch"

// Format is how one matrix is stored.
type Format struct {
	Name  string                       // bf16, fp8-block-128x128, gptq-4-g128, q4_K
	Bits  float64                      // of one number, without scales: what the kernels read
	bytes func(rows, cols int64) int64 // of one matrix with everything that belongs to it
}

// Bytes is the size of one matrix of so many outputs and inputs, with scales and zero points.
func (f Format) Bytes(rows, cols int64) int64 { return f.bytes(rows, cols) }

// plain is a format without scales.
func plain(name string, bytes int64) Format {
	return Format{name, float64(8 * bytes), func(rows, cols int64) int64 { return rows * cols * bytes }}
}

// Scheme says which format each tensor of one model has.
type Scheme struct {
	Name  string   // what a person calls it: bf16, fp8, awq-4bit, Q4_K_M
	Notes []string // what was assumed, and what stays in higher precision
	pick  func(name arch.Name, t *arch.Tensor) Format
}

// Format is the format of a tensor.
func (s *Scheme) Format(name arch.Name, t *arch.Tensor) Format { return s.pick(name, t) }

// Bytes is the size of a tensor with all its copies.
func (s *Scheme) Bytes(name arch.Name, t *arch.Tensor) int64 {
	return t.Copies.N * s.pick(name, t).Bytes(t.Rows.N, t.Cols.N)
}

// Total is the size of the whole model as a file holds it: with MTP blocks, without what a mirror stores twice.
func (s *Scheme) Total(shape *arch.Shape) int64 {
	var sum int64
	for name, t := range shape.Named() {
		sum += s.Bytes(name, t)
	}
	return sum
}

// Unquantized keeps every tensor in the number format that the configuration names, and in 32 bits what is published so.
func Unquantized(shape *arch.Shape) *Scheme {
	name, size := shape.DType, int64(2)
	switch name {
	case "float32":
		name, size = "fp32", 4
	case "float16":
		name = "fp16"
	case "bfloat16", "":
		name = "bf16"
	}
	base, wide := plain(name, size), plain("fp32", 4)
	return &Scheme{Name: name, pick: func(_ arch.Name, t *arch.Tensor) Format {
		if t.Float32 {
			return wide
		}
		return base
	}}
}
