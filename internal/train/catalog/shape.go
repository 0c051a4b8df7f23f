package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/evidence"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/records"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// shapeRecord is a model that was measured and never published, as a file has it.
type shapeRecord struct {
	ID        string          `yaml:"id"`
	Source    evidence.Source `yaml:"source"`
	Note      string          `yaml:"note,omitempty"`
	Positions string          `yaml:"positions,omitempty"` // the key that is the sequence of each measurement
	Config    map[string]any  `yaml:"config"`
}

func checkShape(name string, r *shapeRecord) error {
	switch {
	case r.ID != name:
		return fmt.Errorf("id %q belongs into the file %s.yaml", r.ID, r.ID)
	case r.Source.Title == "" || !strings.HasPrefix(r.Source.URL, "https://"):
		return errors.New("source: want a title and a url: say where the numbers were read")
	case len(r.Config) == 0:
		return errors.New("config is missing")
	}
	return nil
}

// Shape is that of the model that was measured. Of one whose configuration nobody has, it is what arch.Sketch makes of
// its size; bySize asks for that.
func (m *Measurement) shape(bySize bool) (*arch.Shape, error) {
	config, err := m.config(bySize)
	if err != nil {
		return nil, fmt.Errorf("finding the shape of %s: %w", m.Model, err)
	}
	s, err := arch.Of(config)
	if err != nil {
		return nil, fmt.Errorf("finding the shape of %s: %w", m.Model, err)
	}
	return s, nil
}

func (m *Measurement) config(bySize bool) (strictjson.Value, error) {
	switch {
	case bySize || m.Known == "":
		active := int64(m.Active)
		if m.Active == m.Params {
			active = 0
		}
		return arch.Sketch(int64(m.Params), active)
	case strings.Contains(m.Known, "/"):
		config, _, found, err := models.Default().Config(m.Known)
		if err == nil && !found {
			err = fmt.Errorf("%s has no configuration in the catalog", m.Known)
		}
		return config, err
	}
	return ownConfig(m.Known, m.Seq)
}

// ownConfig is the configuration of a shape of this catalog.
func ownConfig(id string, seq int64) (strictjson.Value, error) {
	r, err := records.One(embedded, "shapes/"+id+".yaml", id, checkShape)
	if errors.Is(err, fs.ErrNotExist) {
		return strictjson.Value{}, fmt.Errorf("there is no shape %s", id)
	}
	if err != nil {
		return strictjson.Value{}, err
	}
	keys := maps.Clone(r.Config)
	if r.Positions != "" && seq > 0 {
		keys[r.Positions] = seq
	}
	text, err := json.Marshal(keys)
	if err != nil {
		return strictjson.Value{}, fmt.Errorf("writing the configuration of %s: %w", id, err)
	}
	return strictjson.Parse(strings.NewReader(string(text)), int64(len(text)))
}
