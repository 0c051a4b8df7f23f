package arch

import "iter"

// Elements is how many numbers the tensor holds, all copies together.
func (t *Tensor) Elements() int64 { return t.Rows.N * t.Cols.N * t.Copies.N }

// Active is how many of them one token is multiplied with.
func (t *Tensor) Active() int64 { return t.Rows.N * t.Cols.N * t.Visited.N }

// Tensors yields every tensor as many times as it is stored: of the outer parts, each block, the towers and MTP.
func (s *Shape) Tensors() iter.Seq[*Tensor] {
	return func(yield func(*Tensor) bool) {
		for _, t := range s.Named() {
			if !yield(t) {
				return
			}
		}
	}
}

// Named yields every tensor with its name in the checkpoint.
func (s *Shape) Named() iter.Seq2[Name, *Tensor] {
	return func(yield func(Name, *Tensor) bool) {
		list := func(prefix string, ts []Tensor) bool {
			for i := range ts {
				if !yield(Name{prefix, ts[i].Name}, &ts[i]) {
					return false
				}
			}
			return true
		}
		blocks := func(bs []Block) bool {
			for i := range bs {
				if !list(bs[i].Prefix, bs[i].Tensors) {
					return false
				}
			}
			return true
		}
		_ = list("", s.Outer) && blocks(s.Encoder) && blocks(s.Blocks) && list("", s.Towers) && blocks(s.MTP) && list("", s.MTPOuter)
	}
}

// Name is the name of a tensor in two parts, which are put together where somebody asks.
type Name struct{ Prefix, Rest string }

func (n Name) String() string { return n.Prefix + n.Rest }

// Params are counts of parameters.
type Params struct{ Total, Active int64 }

// Params counts the model without its MTP blocks, as publishers do. Active is what one token of text is multiplied
// with: not the embedding, unless the head is the same matrix, and not the towers.
func (s *Shape) Params() Params { return s.sum(func(c Component) bool { return c != MTPPart }) }

// Of counts one component.
func (s *Shape) Of(part Component) Params { return s.sum(func(c Component) bool { return c == part }) }

func (s *Shape) sum(want func(Component) bool) Params {
	var p Params
	for t := range s.Tensors() {
		if want(t.Component) {
			p.Total += t.Elements()
			p.Active += t.Active()
		}
	}
	return p
}

// MTPParams counts the blocks that predict further tokens, with what is stored for them beside.
func (s *Shape) MTPParams() int64 { return s.Of(MTPPart).Total }

// Bounds are the least and the most parameters that the model can have, where a part of it is only bounded.
func (s *Shape) Bounds() (low, high int64) {
	p := s.Params()
	low, high = p.Total, p.Total
	for _, g := range s.Gaps {
		low, high = low+g.Low, high+g.High
	}
	return low, high
}

// Formula is how the size of one copy comes about: "h·e × d".
func (t *Tensor) Formula() string {
	if t.Cols.N == 1 {
		return t.Rows.Text
	}
	return t.Rows.Text + " × " + t.Cols.Text
}

// Towered counts the parts for images and sound.
func (s *Shape) Towered() int64 { return s.Of(Tower).Total }
