package diligence

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/model"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/strictjson"
	"github.com/llmcheck/llmcheck/internal/units"
)

// compareSizes lists what each source says of the size: the configuration, the headers of the weights, a total that
// somebody else counted. A difference is explained by its causes, or said not to be.
func (s *described) compareSizes() {
	shape := s.serving.Shape
	own := report.Size{Source: s.counted(), Params: new(shape.Params().Total), Bytes: new(s.stored.Total(shape))}
	if mtp := shape.MTPParams(); mtp > 0 { // files hold them too
		*own.Params += mtp
		own.Explanation = units.Thousands(mtp) + " of them predict further tokens, and most engines do not load them"
	}
	if s.totals == nil && (s.files == nil || s.files.Stored == nil) {
		own.Explanation = strings.TrimPrefix(own.Explanation+"; nobody else's total was at hand to hold it against", "; ")
	}
	s.sizes = append(s.sizes, own)
	switch {
	case s.files == nil || s.files.Stored == nil:
	case s.adapterAlone():
		s.sizes = append(s.sizes, s.fromAdapter())
	default:
		d := quant.Reconcile(shape, s.files.Stored, s.stored)
		s.sizes = append(s.sizes, fromHeaders(d, s.files.Stored.Where))
		s.serving.Beside = undescribed(&d)
		s.contradicted(&d)
	}
	if s.totals != nil {
		s.sizes = append(s.sizes, s.fromTotals()...)
	}
}

// adapterAlone reports whether the files hold an adapter and not its base.
func (s *described) adapterAlone() bool {
	return s.files.Adapter.Kind() == strictjson.Object && s.files.Config.Kind() != strictjson.Object
}

// fromAdapter holds the files of an adapter against what it adds. PEFT saves some of what the base has as well, such as
// the embedding beside one that was changed.
func (s *described) fromAdapter() report.Size {
	var counted int64
	for name, t := range s.serving.Shape.Named() {
		if t.Component == arch.Adapter {
			counted += s.stored.Bytes(name, t)
		}
	}
	size := report.Size{Source: s.files.Stored.Where + " of the adapter", Bytes: new(s.files.Stored.Bytes)}
	agrees := near(counted, s.files.Stored.Bytes, 1e-3)
	size.Agrees = &agrees
	size.Explanation = "the adapter alone, without its base model"
	if !agrees {
		size.Explanation += fmt.Sprintf("; its configuration describes %s bytes", units.Thousands(counted))
	}
	return size
}

// counted names the source of the shape.
func (s *described) counted() string {
	if s.files == nil {
		return "configuration in the catalog"
	}
	return s.origin
}

// contradicted keeps a verdict from resting on a configuration that is not that of the files.
func (s *described) contradicted(d *quant.Difference) {
	if s.files.GGUF != nil || s.files.Adapter.Kind() == strictjson.Object || !d.Contradicts(s.stored.Quantized()) {
		return
	}
	s.sizes[len(s.sizes)-1].Agrees = new(false)
	s.doubt = fmt.Sprintf("the weight files hold %s bytes that %s does not describe, so one of them is of another model",
		units.Thousands(max(d.Beyond, d.Attention)), s.origin)
	s.gaps = append(s.gaps, model.Gap{What: s.files.Stored.Where, Why: s.doubt, Kind: model.Unread})
}

// explainedBytes is the part of a file that may stay without a cause: padding, and tables of a few KB.
const explainedBytes = 1e-4

// undescribed are the bytes that are stored and that no rule describes, however few, and those without a cause as far as
// padding and tables do not account for them. They lie in memory as far as anybody knows.
func undescribed(d *quant.Difference) []serve.Beside {
	var out []serve.Beside
	for _, c := range d.Causes {
		if c.Kind == quant.Unexpected && c.Bytes > 0 {
			out = append(out, serve.Beside{Name: c.Text, Bytes: c.Bytes})
		}
	}
	if d.Unexplained > 0 && !little(d, d.Unexplained) {
		out = append(out, serve.Beside{Name: "stored bytes without a known cause", Bytes: d.Unexplained})
	}
	return out
}

// little reports whether so many bytes are few beside what is described.
func little(d *quant.Difference, bytes int64) bool {
	return math.Abs(float64(bytes)) <= explainedBytes*float64(d.Described)
}

func fromHeaders(d quant.Difference, where string) report.Size {
	size := report.Size{Source: where, Bytes: new(d.Stored)}
	if d.Params > 0 {
		size.Params = new(d.Params)
	}
	explained := little(&d, d.Unexplained)
	agrees := explained && !slices.ContainsFunc(d.Causes, func(c quant.Cause) bool { return c.Kind == quant.Unexpected && !little(&d, c.Bytes) })
	size.Agrees = &agrees
	var causes []string
	for _, c := range d.Causes {
		causes = append(causes, fmt.Sprintf("%s (%+d bytes)", c.Text, c.Bytes))
	}
	if !explained {
		causes = append(causes, fmt.Sprintf("%+d bytes have no cause that is known", d.Unexplained))
	}
	size.Explanation = strings.Join(causes, "; ")
	return size
}

// fromTotals are the totals that the catalog carries from others. A rounded one agrees if it rounds to the same.
func (s *described) fromTotals() []report.Size {
	var out []report.Size
	t, shape := s.totals, s.serving.Shape
	if t.Params > 0 {
		own := shape.Params().Total
		if t.TextOnly {
			own -= shape.Towered()
		}
		out = append(out, report.Size{
			Source: "total in the catalog, " + kindOf(t), Params: new(t.Params), Agrees: new(near(own, t.Params, roundingOf(t.Params))),
			Explanation: t.Source,
		})
	}
	if t.Bytes > 0 {
		out = append(out, report.Size{
			Source: "published files, by the catalog", Bytes: new(t.Bytes),
			Agrees: new(near(s.stored.Total(shape), t.Bytes, 1e-3)), Explanation: t.Source,
		})
	}
	return out
}

func kindOf(t *models.Totals) string {
	if t.Kind == "" {
		return "published"
	}
	return t.Kind
}

// roundingOf is how exact a total is that ends in zeros.
func roundingOf(n int64) float64 {
	unit := int64(1)
	for n%(unit*10) == 0 && unit < n {
		unit *= 10
	}
	return max(1e-4, 0.5*float64(unit)/float64(n))
}

func near(a, b int64, share float64) bool {
	return math.Abs(float64(a)-float64(b)) <= share*math.Max(float64(a), float64(b))
}
