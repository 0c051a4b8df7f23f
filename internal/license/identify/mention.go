package identify

import "github.com/llmcheck/llmcheck/internal/license/identify/shingle"

func (x *Index) mentions(d *doc, raw []byte, r *Result) {}

// attribution knows sentences that give credit or point somewhere.
func (d *doc) attribution(s shingle.Span) bool { return false }

// unexplained returns what is neither matched nor harmless.
func (d *doc) unexplained(r *Result) []shingle.Span {
	rest := d.suspicious(shingle.Span{From: 0, To: len(d.toks)})
	for _, s := range rest {
		r.Unexplained = append(r.Unexplained, Region{int(d.toks[s.From].Line), int(d.toks[s.To-1].Line)})
	}
	return rest
}

func (x *Index) secondOpinion(d *doc, r *Result) {}

func language(toks []shingle.Token, body []byte) string { return "" }
