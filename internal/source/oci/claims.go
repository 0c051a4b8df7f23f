package oci

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/model"
)

// The limits on what a configuration may claim.
const (
	maxClaims = 100
	maxValue  = 4096 // bytes of one value
)

// facts is what a configuration says.
type facts struct {
	claims []model.Claim
	paths  map[digest]string // the names of layers
	gaps   []model.Gap
}

func (f *facts) claim(where, value string) { f.claimNamed(where, value, "", "") }

func (f *facts) claimNamed(where, value, name, link string) {
	value = strings.TrimSpace(value)
	if value == "" && name == "" && link == "" {
		return
	}
	if len(value)+len(name)+len(link) > maxValue || len(f.claims) == maxClaims {
		f.gap(where, "there is more of it than is read", model.Unread)
		return
	}
	c := model.Claim{Origin: model.FromRegistry, Where: where, Value: value, Name: name, Link: link}
	f.claims = append(f.claims, c)
}

func (f *facts) gap(what, why string, k model.GapKind) {
	if len(f.gaps) < maxGaps {
		f.gaps = append(f.gaps, model.Gap{What: what, Why: why, Kind: k})
	}
}

// Annotations that speak of the license: image-spec annotations.md, and the Kitfile that KitOps leaves in a ModelPack
// artifact (kitops-ml/kitops pkg/lib/constants/consts.go).
const (
	annotationLicenses = "org.opencontainers.image.licenses"
	annotationKitfile  = "ml.kitops.modelkit.kitfile"
)

// annotations reads what a manifest or an index says beside its layers.
func (f *facts) annotations(of string, a map[string]string) {
	f.claim("oci "+of+"annotation "+annotationLicenses, a[annotationLicenses])
	if kitfile := a[annotationKitfile]; kitfile != "" {
		where := "oci " + of + "annotation " + annotationKitfile
		if err := f.kit(where, []byte(kitfile)); err != nil {
			f.gap(where, err.Error(), model.Unread)
		}
	}
}

// config reads the configuration of an artifact.
func (f *facts) config(k kind, data []byte) error {
	switch k {
	case modelPack:
		return f.modelPack(data)
	case kitOps:
		return f.kit("oci config", data)
	case dockerAI:
		return f.docker(data)
	case ollama:
		return f.ollama(data)
	}
	return nil
}

// described is what a configuration of ModelPack says of the artifact as a whole.
type described struct {
	Licenses []string `json:"licenses"`
}

func (f *facts) describe(d described) {
	for _, l := range d.Licenses {
		f.claim("oci config descriptor.licenses", l)
	}
}

// modelPack reads application/vnd.cncf.model.config.v1+json (modelpack/model-spec docs/config.md): descriptor.licenses
// are SPDX expressions.
func (f *facts) modelPack(data []byte) error {
	var c struct {
		Descriptor described `json:"descriptor"`
	}
	if err := decodeJSON(data, &c); err != nil {
		return err
	}
	f.describe(c.Descriptor)
	return nil
}

// kitEntry is a part of a Kitfile; digest is the layer that holds it.
type kitEntry struct {
	Name    string `json:"name"`
	Path    string `json:"path"`
	License string `json:"license"`
	Digest  string `json:"digest"`
}

// kit reads a Kitfile, which is also application/vnd.kitops.modelkit.config.v1+json
// (kitops-ml/kitops pkg/artifact/kitfile.go).
func (f *facts) kit(where string, data []byte) error {
	var c struct {
		Package struct {
			License string `json:"license"`
		} `json:"package"`
		Model *struct {
			kitEntry
			Parts []kitEntry `json:"parts"`
		} `json:"model"`
		Code     []kitEntry `json:"code"`
		Docs     []kitEntry `json:"docs"`
		Datasets []kitEntry `json:"datasets"`
	}
	if err := decodeJSON(data, &c); err != nil {
		return err
	}
	f.claim(where+" package.license", c.Package.License)
	if c.Model != nil {
		f.claim(where+" model.license", c.Model.License)
		f.named(c.Model.kitEntry)
		f.base(where, c.Model.kitEntry)
		for i, p := range c.Model.Parts {
			f.claim(fmt.Sprintf("%s model.parts[%d].license", where, i), p.License)
			f.named(p)
		}
	}
	f.beside(where, "code", c.Code)
	f.beside(where, "docs", c.Docs)
	f.beside(where, "datasets", c.Datasets)
	return nil
}

func (f *facts) named(e kitEntry) {
	d, err := parseDigest(e.Digest)
	if err != nil || e.Path == "" {
		return
	}
	if f.paths == nil {
		f.paths = map[digest]string{}
	}
	f.paths[d] = e.Path
}

// base notes a model that is taken from another modelkit: model.path is a reference then, and no layer holds it.
func (f *facts) base(where string, e kitEntry) {
	if e.Digest != "" || checkName(strings.TrimPrefix(e.Path, "./")) == nil || !strings.Contains(e.Path, ":") {
		return
	}
	f.gap("base modelkit "+e.Path, "named by "+where+" model.path and not followed; check oci:"+e.Path+" as well",
		model.Unread)
}

// beside notes licenses of things that are packed with the model and are not the model.
func (f *facts) beside(where, part string, entries []kitEntry) {
	for i, e := range entries {
		f.named(e)
		if e.License != "" {
			f.gap(fmt.Sprintf("%s %s[%d].license", where, part, i),
				fmt.Sprintf("it says %.100q, of what is packed beside the model, and is not judged", e.License), model.Absent)
		}
	}
}

// docker reads application/vnd.docker.ai.model.config.v0.1+json and v0.2 (docker/model-spec config.md): no field speaks
// of the license, but config.gguf repeats the keys of the GGUF header, general.license among them. Newer ones also
// carry the descriptor of ModelPack.
func (f *facts) docker(data []byte) error {
	var c struct {
		Config struct {
			GGUF map[string]json.RawMessage `json:"gguf"`
		} `json:"config"`
		Descriptor described `json:"descriptor"`
	}
	if err := decodeJSON(data, &c); err != nil {
		return err
	}
	f.describe(c.Descriptor)
	text := func(key string) string {
		var s string
		if raw := c.Config.GGUF[key]; raw == nil || json.Unmarshal(raw, &s) != nil {
			return ""
		}
		return s
	}
	f.claimNamed("oci config config.gguf general.license",
		text("general.license"), text("general.license.name"), text("general.license.link"))
	return nil
}

// ollama reads Ollama's configuration (ollama/ollama types/model/config.go). It says nothing of the license; a model
// that runs in a cloud has no weights here.
func (f *facts) ollama(data []byte) error {
	var c struct {
		RemoteHost  string `json:"remote_host"`
		RemoteModel string `json:"remote_model"`
	}
	if err := decodeJSON(data, &c); err != nil {
		return err
	}
	if c.RemoteModel != "" || c.RemoteHost != "" {
		f.gap("weights", fmt.Sprintf("the model runs at %.100q as %.100q; nothing of it is published here",
			c.RemoteHost, c.RemoteModel), model.Absent)
	}
	return nil
}
