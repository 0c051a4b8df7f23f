package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/llmcheck/llmcheck/internal/source"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// The limits on what a registry may make us hold.
const (
	maxManifest  = 4 << 20
	maxConfig    = 4 << 20
	maxLayers    = 4096
	maxManifests = 256     // in an index
	maxSize      = 1 << 50 // of a blob; a petabyte is a fault, not a model
)

// descriptor names a blob. The field `urls` of the specification is left out on purpose: it asks the reader to fetch
// from a host of the author's choice.
type descriptor struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Digest       digest            `json:"digest"`
	Size         int64             `json:"size"`
	Annotations  map[string]string `json:"annotations"`
	From         string            `json:"from"` // Ollama: what the layer was made from
}

// manifest is an image manifest or an image index. Ollama's lists may hold whole manifests instead of descriptors
// (ollama/ollama manifest/manifest.go), which is why the two are one type.
type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        *descriptor       `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Manifests     []child           `json:"manifests"`
	Annotations   map[string]string `json:"annotations"`
}

// child is an entry of an index: a descriptor, or for Ollama the manifest itself.
type child struct {
	descriptor
	Config    *descriptor     `json:"config"`
	Layers    []descriptor    `json:"layers"`
	Manifests json.RawMessage `json:"manifests"`
}

func parseManifest(data []byte) (*manifest, error) {
	m, err := decodeManifest(data)
	if err != nil {
		return nil, fmt.Errorf("reading the manifest: %w: %w", err, source.ErrMalformed)
	}
	return m, nil
}

func decodeManifest(data []byte) (*manifest, error) {
	if len(data) > maxManifest {
		return nil, fmt.Errorf("it has more than %d bytes", maxManifest)
	}
	var m manifest
	if err := decodeJSON(data, &m); err != nil {
		return nil, err
	}
	switch {
	case m.SchemaVersion != 2:
		return nil, fmt.Errorf("its schemaVersion is %d, want 2", m.SchemaVersion)
	case m.index():
		return &m, m.validateIndex()
	case m.Config == nil && len(m.Layers) == 0:
		return nil, errors.New("it has neither layers nor manifests")
	}
	return &m, validateLayers(m.Config, m.Layers)
}

func (m *manifest) index() bool { return len(m.Manifests) > 0 }

func (m *manifest) validateIndex() error {
	if m.Config != nil || len(m.Layers) > 0 {
		return errors.New("it is an index and a manifest at once")
	}
	if len(m.Manifests) > maxManifests {
		return fmt.Errorf("the index has %d manifests, more than %d", len(m.Manifests), maxManifests)
	}
	for i := range m.Manifests {
		c := &m.Manifests[i]
		switch {
		case len(c.Manifests) > 0 || isIndex(c.MediaType):
			return errors.New("it is an index inside an index")
		case c.inline():
			if err := validateLayers(c.Config, c.Layers); err != nil {
				return err
			}
		default:
			if err := c.validate(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *child) inline() bool { return c.Config != nil || len(c.Layers) > 0 }

// The media types of indexes: OCI's, Docker's, Ollama's.
func isIndex(mediaType string) bool {
	switch mediaType {
	case "application/vnd.oci.image.index.v1+json",
		"application/vnd.docker.distribution.manifest.list.v2+json",
		"application/vnd.ollama.manifest.list.v2+json":
		return true
	}
	return false
}

func validateLayers(config *descriptor, layers []descriptor) error {
	if len(layers) > maxLayers {
		return fmt.Errorf("it has %d layers, more than %d", len(layers), maxLayers)
	}
	if config != nil {
		if err := config.validate(); err != nil {
			return fmt.Errorf("config: %w", err)
		}
	}
	for i := range layers {
		if err := layers[i].validate(); err != nil {
			return fmt.Errorf("layer %d: %w", i, err)
		}
	}
	return nil
}

func (d *descriptor) validate() error {
	switch {
	case d.Digest == digest{}:
		return errors.New("it has no digest")
	case d.Size < 0 || d.Size > maxSize:
		return fmt.Errorf("a size of %d bytes cannot be", d.Size)
	}
	return nil
}

// decodeJSON reads exactly one JSON value. encoding/json takes the last of duplicate keys and ignores case, so that two
// readers can see two manifests in the same bytes; strictjson refuses such a value. Annotations and GGUF keys are
// names, which may differ by case.
func decodeJSON(data []byte, v any) error {
	_, err := strictjson.Parse(bytes.NewReader(data), max(maxManifest, maxConfig), "annotations", "gguf")
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}
