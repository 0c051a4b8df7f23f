package oci

import (
	"path"
	"regexp"
	"strconv"
	"strings"
)

// kind is who packed an artifact.
type kind string

const (
	ollama    kind = "Ollama"
	modelPack kind = "ModelPack"
	kitOps    kind = "KitOps"
	dockerAI  kind = "Docker Model Runner"
)

// kindOf tells by artifact type, by configuration, then by layers; Ollama's configuration has the media type of any
// container image.
func kindOf(m *manifest) (kind, bool) {
	types := []string{m.ArtifactType}
	if m.Config != nil {
		types = append(types, m.Config.MediaType)
	}
	for _, l := range m.Layers {
		types = append(types, l.MediaType)
	}
	for _, t := range types {
		switch {
		case strings.HasPrefix(t, "application/vnd.ollama.image."):
			return ollama, true
		case strings.HasPrefix(t, "application/vnd.cncf.model."), strings.HasPrefix(t, "application/vnd.cnai.model."):
			return modelPack, true
		case strings.HasPrefix(t, "application/vnd.kitops.modelkit."):
			return kitOps, true
		case strings.HasPrefix(t, "application/vnd.docker.ai."):
			return dockerAI, true
		}
	}
	return "", false
}

// role is what a layer is for.
type role int

const (
	unknown  role = iota
	weights       // read by its header
	license       // terms, whatever its name
	document      // a card, a configuration or other text
	tensor        // one tensor, whose header holds no terms; listed only
	aside         // beside the model: training data, a prompt; listed only
)

// layer is a descriptor with what its media type and its annotations say.
type layer struct {
	descriptor
	role    role
	tar     bool
	packed  string // "", "gzip", or a compression that is not read
	path    string // the path the artifact gives, unchecked; "" if none
	generic string // the name to use where there is no path
}

// The annotations that name a layer's file (modelpack/model-spec docs/annotations.md, image-spec annotations.md).
const (
	annotationPath  = "org.cncf.model.filepath"
	annotationTitle = "org.opencontainers.image.title"
)

// layerOf reads a media type. paths are the names that a configuration gives to layers.
func layerOf(d descriptor, paths map[digest]string) layer {
	l := layer{descriptor: d}
	// Parameters such as "; name=..." follow the type in some of Ollama's layers.
	mediaType, _, _ := strings.Cut(d.MediaType, ";")
	l.role, l.generic = roleOf(mediaType)
	l.form(mediaType)
	for _, p := range []string{d.Annotations[annotationPath], paths[d.Digest], d.Annotations[annotationTitle]} {
		if p != "" {
			l.path = strings.TrimPrefix(p, "./")
			break
		}
	}
	return l
}

// form reads the end of a media type, which says how the files are packed.
func (l *layer) form(mediaType string) {
	base, packed, _ := strings.Cut(mediaType, "+")
	l.tar = strings.HasSuffix(base, ".tar")
	if packed != "gguf" { // application/vnd.docker.ai.model.file.v1+gguf
		l.packed = packed
	}
}

// roles of exact media types.
//
// Ollama: ollama/ollama server/images.go and manifest/layer.go. Docker: docker/model-runner
// pkg/distribution/types/config.go and docker/model-spec spec.md.
var roles = map[string]struct {
	role role
	name string
}{
	"application/vnd.ollama.image.model":     {weights, "model.gguf"},
	"application/vnd.ollama.image.projector": {weights, "mmproj.gguf"},
	"application/vnd.ollama.image.adapter":   {weights, "adapter.gguf"},
	"application/vnd.ollama.image.draft":     {weights, "draft.gguf"},
	"application/vnd.ollama.image.tensor":    {tensor, "tensor.safetensors"},
	"application/vnd.ollama.image.license":   {license, "LICENSE"},
	"application/vnd.ollama.image.json":      {document, "layer.json"},
	"application/vnd.ollama.image.params":    {aside, "params"},
	"application/vnd.ollama.image.template":  {aside, "template"},
	"application/vnd.ollama.image.prompt":    {aside, "template"},
	"application/vnd.ollama.image.system":    {aside, "system"},
	"application/vnd.ollama.image.messages":  {aside, "messages"},
	"application/vnd.ollama.image.embed":     {aside, "embed"},

	"application/vnd.docker.ai.gguf.v3":             {weights, "model.gguf"},
	"application/vnd.docker.ai.model.file.v1+gguf":  {weights, "model.gguf"},
	"application/vnd.docker.ai.gguf.v3.lora":        {weights, "adapter.gguf"},
	"application/vnd.docker.ai.gguf.v3.mmproj":      {weights, "mmproj.gguf"},
	"application/vnd.docker.ai.mmproj":              {weights, "mmproj.gguf"},
	"application/vnd.docker.ai.safetensors":         {weights, "model.safetensors"},
	"application/vnd.docker.ai.dduf":                {weights, "model.dduf"},
	"application/vnd.docker.ai.license":             {license, "LICENSE"},
	"application/vnd.docker.ai.model.file":          {document, "file"},
	"application/vnd.docker.ai.vllm.config.tar":     {document, "config.tar"},
	"application/vnd.docker.ai.dir.tar":             {document, "folder.tar"},
	"application/vnd.docker.ai.chat.template.jinja": {aside, "chat_template.jinja"},
}

// packType is the pattern of ModelPack (modelpack/model-spec specs-go/v1/mediatype.go; cnai is its first name) and of
// KitOps (kitops-ml/kitops pkg/lib/constants/mediatype).
var packType = regexp.MustCompile(
	`^application/vnd\.(?:c[a-z]{3}\.model|kitops\.modelkit)\.([a-z.]+)\.v1\.(?:raw|tar|gguf|safetensors)(?:\+[a-z]+)?$`)

func roleOf(mediaType string) (role, string) {
	if r, ok := roles[mediaType]; ok {
		return r.role, r.name
	}
	m := packType.FindStringSubmatch(mediaType)
	if m == nil {
		return unknown, "layer"
	}
	switch m[1] {
	case "weight", "model":
		return weights, "model" + weightEnding(mediaType)
	case "weight.config", "modelpart", "doc", "docs", "code":
		return document, "file"
	case "dataset":
		return aside, "dataset"
	}
	return unknown, "layer"
}

func weightEnding(mediaType string) string {
	for _, ending := range []string{".gguf", ".safetensors"} {
		if strings.HasSuffix(mediaType, ending) {
			return ending
		}
	}
	return ".bin"
}

// numbered makes the second and later layers of a generic name distinct: LICENSE, LICENSE.2; model.gguf, model-2.gguf.
func numbered(name string, n int) string {
	if n < 2 {
		return name
	}
	ext := path.Ext(name)
	if ext == "" {
		return name + "." + strconv.Itoa(n)
	}
	return strings.TrimSuffix(name, ext) + "-" + strconv.Itoa(n) + ext
}
