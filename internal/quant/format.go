package quant

import "fmt"

// Format is how one matrix is stored.
type Format struct {
	Name  string                       // bf16, fp8-block-128x128, gptq-4-g128, Q4_K
	Bits  float64                      // of one number, without scales: what the kernels read
	bytes func(rows, cols int64) int64 // of one matrix with everything that belongs to it
}

// Bytes is the size of one matrix of so many outputs and inputs, with scales and zero points.
func (f Format) Bytes(rows, cols int64) int64 { return f.bytes(rows, cols) }

// The largest settings that are believed.
const (
	maxBits  = 16
	maxGroup = 1 << 27
)

func ceil(a, b int64) int64 { return (a + b - 1) / b }

// groups is how many groups of a width a row has; a width of 0 or less is one group.
func groups(cols, width int64) int64 {
	if width <= 0 {
		return 1
	}
	return ceil(cols, width)
}

// suffix names a group width.
func suffix(width int64) string {
	if width <= 0 {
		return "-channel"
	}
	return fmt.Sprintf("-g%d", width)
}

// plain is a format without scales.
func plain(name string, bytes int64) *Format {
	return &Format{name, float64(8 * bytes), func(rows, cols int64) int64 { return rows * cols * bytes }}
}

// absent is what the files of a format leave out.
func absent() *Format {
	return &Format{"left out", 0, func(int64, int64) int64 { return 0 }}
}

// perTensor has a byte for each number and so many bytes of scales for the whole matrix.
func perTensor(name string, scales int64) *Format {
	return &Format{name, 8, func(rows, cols int64) int64 { return rows*cols + scales }}
}

// perChannel has a byte for each number, a scale for each output, of so many bytes, and more for the matrix.
func perChannel(name string, scale, more int64) *Format {
	return &Format{name, 8, func(rows, cols int64) int64 { return rows*cols + rows*scale + more }}
}

// fp8Block has a scale for each block of high by wide numbers.
func fp8Block(high, wide, scale, more int64) *Format {
	return &Format{fmt.Sprintf("fp8-block-%dx%d", high, wide), 8, func(rows, cols int64) int64 {
		return rows*cols + scale*ceil(rows, high)*ceil(cols, wide) + more
	}}
}

// grouped has a scale of so many bytes for each group of the inputs of an output, and more for the matrix.
func grouped(name string, bits, width, scale, more int64) *Format {
	return &Format{name + suffix(width), float64(bits), func(rows, cols int64) int64 {
		return rows*ceil(cols*bits, 8) + rows*groups(cols, width)*scale + more
	}}
}

// nvfp4 has 16 numbers of 4 bits to a scale of 8 bits, and scales of 32 bits for the matrix and, where activations are
// quantized too, for its input.
func nvfp4(inputScale bool) *Format {
	more := int64(4)
	if inputScale {
		more = 8
	}
	f := grouped("nvfp4", 4, 16, 1, more)
	f.Name = "nvfp4"
	return f
}

// mxfp4 has 32 numbers of 4 bits to an exponent of 8 bits (OCP Microscaling).
func mxfp4() *Format { return microscaled("mxfp4", 4) }

// mxfp8 is the same with numbers of 8 bits.
func mxfp8() *Format { return microscaled("mxfp8", 8) }

func microscaled(name string, bits int64) *Format {
	f := grouped(name, bits, 32, 1, 0)
	f.Name = name
	return f
}

// gptqSpec is what the size of a GPTQ matrix depends on.
type gptqSpec struct {
	bits, group int64
	order       bool // g_idx, the group of each input, is stored
	bias        bool // a bias is stored though the layer has none
}

// gptq is qweight and qzeros packed into int32, scales in 16 bits, g_idx in int32. Numbers of 3 bits run over the
// borders of the words, so that whole columns and rows are rounded and not single numbers.
func gptq(s gptqSpec) *Format {
	return &Format{fmt.Sprintf("gptq-%d%s", s.bits, suffix(s.group)), float64(s.bits), func(rows, cols int64) int64 {
		n := 4*ceil(cols*s.bits, 32)*rows + groups(cols, s.group)*(4*ceil(rows*s.bits, 32)+2*rows)
		if s.order {
			n += 4 * cols
		}
		if s.bias {
			n += 2 * rows
		}
		return n
	}}
}

// awq packs along the outputs, and has no index of groups.
func awq(bits, group int64) *Format {
	return &Format{fmt.Sprintf("awq-%d%s", bits, suffix(group)), float64(bits), func(rows, cols int64) int64 {
		packed := 4 * ceil(rows*bits, 32)
		return cols*packed + groups(cols, group)*(packed+2*rows)
	}}
}

// packSpec is what the size of a matrix of compressed-tensors depends on.
type packSpec struct {
	bits, group, scale int64
	symmetric, order   bool
	more               int64
}

// packed is the pack-quantized format of compressed-tensors: each row in whole int32 words with no number across a
// border, the shape in two int64.
func packed(s packSpec) *Format {
	factor := 32 / s.bits
	return &Format{fmt.Sprintf("int%d-packed%s", s.bits, suffix(s.group)), float64(s.bits), func(rows, cols int64) int64 {
		n := 4*rows*ceil(cols, factor) + rows*groups(cols, s.group)*s.scale + 2*8 + s.more
		if !s.symmetric {
			n += 4 * ceil(rows, factor) * groups(cols, s.group)
		}
		if s.order {
			n += 4 * cols
		}
		return n
	}}
}

// bnb4 is nf4 or fp4 of bitsandbytes: blocks of 64 numbers over the flat matrix with a float32 maximum. Nested, the
// maxima are bytes in blocks of 256 with a float32 each. The table of 16 float32 and a short JSON text are stored with
// each matrix.
func bnb4(kind string, nested bool) *Format {
	const table, text, nestedTable, nestedText = 16 * 4, 88, 256 * 4, 72
	return &Format{kind, 4, func(rows, cols int64) int64 {
		n := rows * cols
		blocks := ceil(n, 64)
		if !nested {
			return ceil(n, 2) + 4*blocks + table + text
		}
		return ceil(n, 2) + blocks + 4*ceil(blocks, 256) + table + text + nestedTable + nestedText
	}}
}

// affine is the format of MLX: packed words, a scale and a bias of 16 bits for each group.
func affine(bits, group int64) *Format {
	return &Format{fmt.Sprintf("mlx-%d-g%d", bits, group), float64(bits), func(rows, cols int64) int64 {
		return rows*4*ceil(cols*bits, 32) + rows*groups(cols, group)*4
	}}
}

// aqlm has codes for groups of inputs, codebooks of 16 bit numbers for the matrix and a scale for each output.
func aqlm(codebooks, bits, in, out int64) *Format {
	code := ceil(bits, 8)
	mean := float64(codebooks*bits) / float64(in*out)
	return &Format{fmt.Sprintf("aqlm-%dx%d", codebooks, bits), mean, func(rows, cols int64) int64 {
		return ceil(rows, out)*ceil(cols, in)*codebooks*code + codebooks*(1<<bits)*in*out*2 + ceil(rows, out)*2
	}}
}

// average stores so many bits for each number in the mean, as a converter was asked to reach.
func average(name string, bits float64) *Format {
	return &Format{name, bits, func(rows, cols int64) int64 { return int64(float64(rows) * float64(cols) * bits / 8) }}
}

// part is so many copies in one format.
type part struct {
	f *Format
	n int64
}

// mixture is a stack of experts of which not all have one format: each counts as their mean, rounded up.
func mixture(parts []part) *Format {
	bits, n := 0.0, int64(0)
	for _, p := range parts {
		bits += p.f.Bits * float64(p.n)
		n += p.n
	}
	return &Format{"mixed", bits / float64(n), func(rows, cols int64) int64 {
		var sum int64
		for _, p := range parts {
			sum += p.n * p.f.Bytes(rows, cols)
		}
		return ceil(sum, n)
	}}
}
