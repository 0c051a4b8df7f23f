package diligence

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/model"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/source"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// described is a model as far as its size goes: where its configuration was found, and what follows from it.
type described struct {
	ref      model.Ref
	revision string
	origin   string // where the configuration is from, in words
	license  string // id in the catalog; "" if not known
	mix      string // the quantization that the name of an absent GGUF file tells
	base     bool   // it is the base model of an adapter
	doubt    string // why no verdict can rest on the configuration

	files   *model.Model // what was read; nil if the catalog answered
	config  strictjson.Value
	quant   strictjson.Value
	serving serve.Model
	stored  *quant.Scheme // as the files hold it
	sizes   []report.Size
	totals  *models.Totals // that somebody else counted; nil if the catalog has none
	assumed []report.Assumption
	gaps    []model.Gap
}

// ErrShape is wrapped by errors that lie in the files of the model: they are bad input, not a failure of ours.
var ErrShape = errors.New("the configuration cannot be used")

// describe finds the configuration of a model. The catalog answers for the models it knows, unless a revision is asked
// for: sizes do not change with the wording of a card, and no request is made for what is known.
func (in *inquiry) describe(ref model.Ref, file string) (*described, error) {
	return in.look(&described{ref: ref}, file)
}

func (in *inquiry) look(s *described, file string) (*described, error) {
	ref := s.ref
	if found, err := in.known(s); found || err != nil {
		return s, err
	}
	snap, err := in.Models.Open(in.ctx, ref)
	if err != nil {
		return s, in.elsewhere(s, err)
	}
	if snap.Close != nil {
		defer snap.Close() //nolint:errcheck // nothing was written
	}
	m, err := model.ReadShape(snap.FS, snap.Ref, snap.Revision, file)
	if err != nil {
		return s, fmt.Errorf("reading %s: %w", s.ref, err)
	}
	s.files, s.revision = m, snap.Revision
	s.gaps = slices.Concat(snap.Gaps, m.Gaps)
	if snap.Failed != nil {
		s.gaps = explained(s.gaps, snap.Failed())
	}
	return s, in.fromFiles(s)
}

// known takes the configuration from the catalog.
func (in *inquiry) known(s *described) (bool, error) {
	if s.ref.Scheme != model.SchemeHub || s.ref.Revision != "" || s.ref.File != "" {
		return false, nil
	}
	return in.recorded(s, s.ref.Name)
}

func (in *inquiry) recorded(s *described, id string) (bool, error) {
	facts, found, err := in.Known.Facts(id)
	if !found || err != nil {
		return false, err
	}
	s.config, s.quant, s.totals = facts.Config, facts.Quant, facts.Totals
	s.origin = "the catalog's record of " + id
	if k, ok, err := in.Known.Get(id); err == nil && ok {
		s.license = k.License
		if k.Source.Checked.String() != "" {
			s.origin += ", checked " + k.Source.Checked.String()
		}
	}
	return true, nil
}

// elsewhere answers for what could not be opened: a name that the catalog knows by another spelling, or a file of a
// known model that is not here.
func (in *inquiry) elsewhere(s *described, opening error) error {
	if s.ref.Scheme != model.SchemePath && !errors.Is(opening, source.ErrOffline) || strings.ContainsAny(s.ref.Name, `/\`) && s.ref.Scheme == model.SchemePath {
		return opening
	}
	name, mix, _ := quant.InFileName(s.ref.Name)
	ids := in.originals(in.Known.Resolve(strings.TrimSuffix(name, ".gguf")))
	if len(ids) != 1 {
		return s.suggest(ids, opening)
	}
	found, err := in.recorded(s, ids[0])
	if err != nil || !found {
		return errors.Join(err, opening)
	}
	s.mix = mix
	s.assumed = append(s.assumed, report.Assumption{What: "model", Value: ids[0], Why: s.substitute(ids[0])})
	return nil
}

// substitute says why the catalog answers for what could not be opened.
func (s *described) substitute(id string) string {
	if s.ref.Scheme == model.SchemePath {
		return fmt.Sprintf("there is no file or folder %s here, and the catalog knows the name", s.ref.Name)
	}
	why := fmt.Sprintf("offline, and no cache has it: the catalog's record of %s is used", id)
	if s.ref.Revision != "" {
		why += "; its revision is not the one asked for"
	}
	return why
}

// originals leaves out copies of models that are in the list too.
func (in *inquiry) originals(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		k, ok, err := in.Known.Get(id)
		return err == nil && ok && k.Base != nil && slices.Contains(ids, k.Base.Ref)
	})
}

func (s *described) suggest(ids []string, opening error) error {
	switch {
	case len(ids) > 1:
		return fmt.Errorf("%w; the catalog knows several models of that name: %s", opening, strings.Join(ids[:min(len(ids), maxSuggested)], ", "))
	case !s.nameable():
	case errors.Is(opening, source.ErrNotFound) || errors.Is(opening, source.ErrOffline):
		return fmt.Errorf("%w; llmcheck catalog models lists the models that are answered without it", opening)
	}
	return opening
}

const maxSuggested = 6

// nameable reports whether what was asked about could be the name of a model, and not that of a file that is not here.
func (s *described) nameable() bool {
	name := strings.ToLower(s.ref.Name)
	switch path.Ext(name) {
	case ".json", ".safetensors", ".bin", ".pt", ".pth", ".yaml", ".md", ".txt":
		return false
	}
	return s.ref.Scheme != model.SchemePath || strings.Trim(name, "-._") != "" && !strings.HasPrefix(name, ".")
}

// fromFiles finds the configuration among the files of a model.
func (in *inquiry) fromFiles(s *described) error {
	m := s.files
	if err := s.unread(); err != nil {
		return err
	}
	switch {
	case m.GGUF != nil:
		config, err := arch.FromGGUF(m.GGUF)
		if err != nil {
			return shapeError(s.ref, "the header of the GGUF file", err)
		}
		s.config, s.origin = config, "the header of the GGUF file"
	case m.Config.Kind() == strictjson.Object:
		s.config, s.quant, s.origin = m.Config, m.Quant, s.configName()
	case m.Adapter.Kind() == strictjson.Object && s.base:
		return fmt.Errorf("%s: %w: it is an adapter itself; merge the two, or ask about each", s.ref, ErrShape)
	case m.Adapter.Kind() == strictjson.Object:
		return in.fromBase(s)
	default:
		return fmt.Errorf("%s: %w: %s", s.ref, ErrShape, s.nothing())
	}
	return nil
}

// configName is the file that the configuration was read from: config.json, unless one of another name was named alone.
func (s *described) configName() string {
	const usual = "config.json"
	alone := s.ref.Name[strings.LastIndexAny(s.ref.Name, `/\`)+1:]
	there := func(name string) bool {
		return slices.ContainsFunc(s.files.Files, func(f model.File) bool { return strings.EqualFold(f.Path, name) })
	}
	if s.ref.Scheme == model.SchemePath && s.files.Stored == nil && there(alone) && !there(usual) {
		return alone
	}
	return usual
}

// nothing says what is not there, and what is.
func (s *described) nothing() string {
	var here []string
	if m := s.files; m.Stored != nil {
		here = slices.DeleteFunc(slices.Clone(m.Stored.Copies), func(name string) bool { return !strings.HasSuffix(strings.ToLower(name), ".gguf") })
	}
	switch {
	case len(here) > 0:
		rest := ""
		if n := len(here) - maxSuggested; n > 0 {
			here, rest = here[:maxSuggested], fmt.Sprintf(" and %d more", n)
		}
		return "there is no config.json, and it was not said which GGUF file is meant; name its quantization with --quant, or the file: " +
			strings.Join(here, ", ") + rest
	case s.files.Stored != nil:
		return "there are weights and no config.json, which tells their shape"
	}
	return "there is no config.json and no GGUF file"
}

// sizing reports whether sizes follow from a file of that name beside the weights.
func sizing(name string) bool {
	switch strings.ToLower(name) {
	case "config.json", "adapter_config.json", "hf_quant_config.json":
		return true
	}
	return false
}

// unread is the error for a file that sizes follow from and that is there, but could not be read: without it, another
// model would be sized than the one that is loaded.
func (s *described) unread() error {
	for _, g := range s.gaps {
		needed := s.files.GGUF == nil && s.files.Config.Kind() != strictjson.Object && s.files.Adapter.Kind() != strictjson.Object
		if g.Kind == model.Absent || !sizing(g.What) && !needed {
			continue
		}
		why := fmt.Errorf("%s: %s", g.What, g.Why)
		switch g.Kind {
		case model.Unreachable:
			return fmt.Errorf("reading %s: %w", s.ref, errors.Join(model.ErrUnreachable, why))
		case model.Restricted:
			return fmt.Errorf("sizing %s: %w: %w", s.ref, source.ErrForbidden, why)
		}
		return fmt.Errorf("sizing %s: %w: %w", s.ref, ErrShape, why)
	}
	return nil
}

// fromBase takes the configuration of an adapter from its base model.
func (in *inquiry) fromBase(s *described) error {
	for _, p := range s.files.Parents {
		if p.Relation != model.Adapter {
			continue
		}
		ref, err := model.ParseRef(hubName(p.Ref))
		if err != nil {
			return fmt.Errorf("%s: %w: its base model: %w", s.ref, ErrShape, err)
		}
		if ref.Scheme != model.SchemeHub { // nothing is opened on a stranger's word
			return fmt.Errorf("%s: %w: its base model %q is no repository that can be looked up; ask about the base model itself",
				s.ref, ErrShape, p.Ref)
		}
		base, err := in.look(&described{ref: ref, base: true}, "")
		s.gaps, s.assumed = append(s.gaps, base.gaps...), append(s.assumed, base.assumed...)
		if err != nil {
			return fmt.Errorf("reading the base model of the adapter %s: %w", s.ref, err)
		}
		s.gaps, s.assumed = append(s.gaps, base.gaps...), append(s.assumed, base.assumed...)
		s.config, s.quant, s.origin = base.config, base.quant, "adapter_config.json and, for its base model "+p.Ref+", "+base.origin
		return nil
	}
	return fmt.Errorf("%s: %w: adapter_config.json names no base model", s.ref, ErrShape)
}

// shape makes the shape and the scheme of the weights.
func (in *inquiry) shape(s *described, name string) error {
	shape, err := arch.Of(s.config)
	if err != nil {
		if s.files != nil && s.files.GGUF != nil {
			err = arch.InHeader(err, s.files.GGUF)
		}
		return shapeError(s.ref, s.origin, err)
	}
	if s.files != nil && s.files.Adapter.Kind() == strictjson.Object {
		if shape, err = shape.WithAdapter(s.files.Adapter, s.wideAdapter()); err != nil {
			return shapeError(s.ref, "adapter_config.json", err)
		}
		s.bounded(shape)
	}
	if s.stored, err = in.scheme(s, shape); err != nil {
		return shapeError(s.ref, s.origin, err)
	}
	s.serving = serve.Model{Shape: shape, Weights: s.stored}
	s.compareSizes()
	if name == "" || name == BestQuant {
		name = s.mix
	}
	if name == "" {
		return nil
	}
	return s.stand(name)
}

// bounded reports what of an adapter is only bounded.
func (s *described) bounded(shape *arch.Shape) {
	for _, g := range shape.Gaps {
		if strings.HasPrefix(g.What, string(arch.Adapter)) {
			s.gaps = append(s.gaps, model.Gap{What: g.What, Why: g.Why, Kind: model.Absent})
		}
	}
}

// wideAdapter reports whether the files of an adapter keep it in 32 bits, as their header says. PEFT keeps what it trains
// in 32 bits unless told otherwise, so that is assumed where there is no header.
func (s *described) wideAdapter() bool {
	var wide, narrow int64
	if s.files.Stored != nil {
		for _, t := range s.files.Stored.Tensors {
			switch {
			case !ofAdapter(t.Name):
			case t.Type == "F32":
				wide += t.Bytes
			default:
				narrow += t.Bytes
			}
		}
	}
	if wide+narrow == 0 {
		s.assumed = append(s.assumed, report.Assumption{
			What: "adapter", Value: "fp32", Why: "no header of its files was read, and PEFT keeps adapters in 32 bits unless told otherwise",
		})
		return true
	}
	return wide > narrow
}

// ofAdapter knows the names that PEFT gives to tensors of an adapter.
func ofAdapter(name string) bool {
	return strings.Contains(name, "lora_") || strings.HasPrefix(name, "base_model.")
}

// stand puts the number format that is asked for in the place of the stored one, unless it is the same by another name:
// what is stored is more exact than what a name makes one expect.
func (s *described) stand(name string) error {
	asked, err := quant.As(s.serving.Shape, name)
	if err != nil {
		return err
	}
	if s.stored.Is(name) {
		return nil
	}
	if s.stored.Quantized() && name != s.mix {
		s.assumed = append(s.assumed, report.Assumption{
			What: "quantization", Value: asked.Name, Why: "as asked; the files hold " + s.stored.Name + ", so another copy is meant",
		})
	}
	s.serving.Weights = asked
	return nil
}

func (in *inquiry) scheme(s *described, shape *arch.Shape) (*quant.Scheme, error) {
	if s.files != nil && s.files.GGUF != nil {
		if s.files.Stored != nil && len(s.files.Stored.Tensors) > len(s.files.GGUF.Tensors) {
			return quant.FromParts(shape, s.files.Stored)
		}
		return quant.FromGGUF(shape, s.files.GGUF)
	}
	return quant.Stored(shape, s.config, s.quant)
}

// shapeError tells what a rule does not know from what a file says wrong.
func shapeError(ref model.Ref, where string, err error) error {
	if errors.Is(err, arch.ErrUnknown) || errors.Is(err, quant.ErrUnknown) {
		return fmt.Errorf("sizing %s: %w", ref, err)
	}
	return fmt.Errorf("sizing %s: %w: %s: %w", ref, ErrShape, where, err)
}
