package serve

import (
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// placement says which device holds what. llama.cpp fills devices from the end of the model: with n layers on
// devices, the output counts as the first of them, then come the last n-1 blocks. Layers are dealt out to several
// devices in their order, in proportion to the memory that is free, so evenly to equal cards.
type placement struct {
	devices int       // 0 for the host alone
	first   int       // the first block on a device
	blocks  []backend // of each block
	output  backend
	experts int // blocks up to this one keep their experts on the host
}

func placed(blocks, devices, layers, experts int) placement {
	p := placement{devices: devices, first: blocks + 1, blocks: make([]backend, blocks), experts: experts}
	if devices == 0 {
		return p
	}
	if layers < 0 || layers > blocks+1 {
		layers = blocks + 1
	}
	p.first = blocks + 1 - layers
	for i := p.first; i < blocks; i++ {
		p.blocks[i] = p.dealt(i, layers)
	}
	if layers > 0 {
		p.output = p.dealt(blocks, layers)
	}
	return p
}

func (p *placement) dealt(i, layers int) backend { return backend(1 + (i-p.first)*p.devices/layers) }

// complete reports whether everything but the embedding is on devices.
func (p *placement) complete() bool { return p.devices > 0 && p.first == 0 && p.experts == 0 }

// weighed sums up weights by the backend they lie on. Each tensor begins at a multiple of the alignment.
type weighed struct {
	m     Model
	align int64
	rows  int64 // devices that the rows of matrices are parted over
	on    []int64
	loose int64 // what the main device may hold beside that

	embedding, copied, towers, mtp int64
}

func (w *weighed) of(prefix string, t *arch.Tensor) int64 {
	return roundUp(w.m.Weights.Bytes(arch.Name{Prefix: prefix, Rest: t.Name}, t), w.align)
}

func (w *weighed) put(on backend, bytes int64) { w.on[on] = saturate(w.on[on], bytes) }

// saturate adds without overflow.
func saturate(a, b int64) int64 { return min(a+b, endless) }

// weigh places every tensor of the model.
func weigh(m Model, p *placement, align int64, rows int) *weighed {
	w := &weighed{m: m, align: align, rows: int64(rows), on: make([]int64, p.devices+1)}
	w.outer(p)
	w.blocks(p)
	for i := range m.Shape.Encoder {
		w.block(&m.Shape.Encoder[i], first(p), first(p))
	}
	if m.LoadMTP {
		before := w.on[p.output]
		for i := range m.Shape.MTP {
			w.block(&m.Shape.MTP[i], p.output, p.output)
		}
		w.mtp = w.on[p.output] - before
	}
	for i := range m.Shape.Towers {
		w.towers = saturate(w.towers, w.of("", &m.Shape.Towers[i]))
	}
	return w
}

// first is the first device, or the host.
func first(p *placement) backend { return backend(min(1, p.devices)) }

// outer places what is around the blocks. The embedding is looked up on the host; where it is the head as well, the
// output holds it a second time.
func (w *weighed) outer(p *placement) {
	for i := range w.m.Shape.Outer {
		t := &w.m.Shape.Outer[i]
		n := w.of("", t)
		switch {
		case t.Component == arch.Embedding:
			w.embedding = saturate(w.embedding, n)
			w.put(host, n)
			if w.m.Shape.Tied && p.output != host && n > w.copied {
				w.put(p.output, n-w.copied)
				w.copied = n
			}
		case strings.Contains(t.Name, "embed"):
			w.put(host, n)
		default:
			w.part(p.output, "", t)
		}
	}
}

func (w *weighed) blocks(p *placement) {
	for i := range w.m.Shape.Blocks {
		experts := p.blocks[i]
		if i < p.experts {
			experts = host
		}
		w.block(&w.m.Shape.Blocks[i], p.blocks[i], experts)
	}
}

func (w *weighed) block(b *arch.Block, on, experts backend) {
	for i := range b.Tensors {
		t := &b.Tensors[i]
		if t.Component == arch.Experts {
			w.stack(experts, w.of(b.Prefix, t))
			continue
		}
		w.part(on, b.Prefix, t)
	}
}

// part places a tensor, of which a device holds its rows where these are parted: the main one the most, as shares end at
// whole blocks of rows. Norms and biases are not parted.
func (w *weighed) part(on backend, prefix string, t *arch.Tensor) {
	n := w.of(prefix, t)
	if w.rows > 1 && on != host && t.Matrix && t.Copies.N == 1 {
		share := min(t.Rows.N, ceil(ceil(t.Rows.N, w.rows), rowBlock)*rowBlock)
		n = min(n, roundUp(w.m.Weights.Format(arch.Name{Prefix: prefix, Rest: t.Name}, t).Bytes(share, t.Cols.N), w.align))
	}
	w.put(on, n)
}

// rowBlock is what the shares of rows are rounded to (ggml-cuda: get_row_rounding, 64 or 128 by card).
const rowBlock = 128

// stack places experts, which lie in one tensor that is not parted by rows: newer builds deal them out by layers, older
// ones leave them all on the main device.
func (w *weighed) stack(on backend, n int64) {
	if w.rows <= 1 || on == host {
		w.put(on, n)
		return
	}
	w.put(on, ceil(n, w.rows))
	w.loose = saturate(w.loose, n-ceil(n, w.rows))
}
