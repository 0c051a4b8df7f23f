package ocitest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"maps"
	"slices"
)

// File is a file to be packed.
type File struct {
	Name string
	Data string
}

// Ollama returns an artifact as `ollama push` makes it: a GGUF and one layer for each license text.
func Ollama(gguf []byte, licenses ...string) Artifact {
	a := Artifact{
		MediaType: DockerManifestType,
		Config: Blob{
			MediaType: "application/vnd.docker.container.image.v1+json",
			Data: []byte(`{"model_format":"gguf","model_family":"llama","model_families":["llama"],"model_type":"1B",` +
				`"file_type":"Q4_0","os":"linux"}`),
		},
		Layers: []Blob{{MediaType: "application/vnd.ollama.image.model", Data: gguf}},
	}
	for _, text := range licenses {
		a.Layers = append(a.Layers, Blob{MediaType: "application/vnd.ollama.image.license", Data: []byte(text)})
	}
	a.Layers = append(a.Layers,
		Blob{MediaType: "application/vnd.ollama.image.template", Data: []byte("{{ .Prompt }}")},
		Blob{MediaType: "application/vnd.ollama.image.params", Data: []byte(`{"stop":["<s>"]}`)})
	return a
}

// ModelPack returns a CNCF ModelPack artifact: the weights raw, the documents in one archive, the configuration of the
// weights raw.
func ModelPack(licenses []string, weights File, docs []File, configs ...File) Artifact {
	a := Artifact{
		ArtifactType: "application/vnd.cncf.model.manifest.v1+json",
		Config: Blob{
			MediaType: "application/vnd.cncf.model.config.v1+json",
			Data: marshal(map[string]any{
				"descriptor": map[string]any{"name": "tiny", "vendor": "acme", "licenses": licenses},
				"config":     map[string]any{"format": "safetensors"},
				"modelfs":    map[string]any{"type": "layers", "diffIds": []string{}},
			}),
		},
		Layers: []Blob{{
			MediaType:   "application/vnd.cncf.model.weight.v1.raw",
			Data:        []byte(weights.Data),
			Annotations: map[string]string{"org.cncf.model.filepath": weights.Name},
		}},
	}
	if len(docs) > 0 {
		a.Layers = append(a.Layers, Blob{MediaType: "application/vnd.cncf.model.doc.v1.tar", Data: Tar(docs...)})
	}
	for _, f := range configs {
		a.Layers = append(a.Layers, Blob{
			MediaType:   "application/vnd.cncf.model.weight.config.v1.raw",
			Data:        []byte(f.Data),
			Annotations: map[string]string{"org.cncf.model.filepath": f.Name},
		})
	}
	return a
}

// KitOps returns a modelkit: the model in an archive that is not compressed, the documents in one that is.
func KitOps(license string, weights []File, docs ...File) Artifact {
	model := Tar(weights...)
	kitfile := map[string]any{
		"manifestVersion": "1.0.0",
		"package":         map[string]any{"name": "tiny", "license": license, "authors": []string{"acme"}},
		"model":           map[string]any{"name": "tiny", "path": ".", "license": license, "digest": Digest(model)},
		"docs":            []map[string]any{{"path": "LICENSE"}},
		"datasets":        []map[string]any{{"name": "logs", "path": "./data", "license": "CC-BY-NC-4.0"}},
	}
	return Artifact{
		ArtifactType: "application/vnd.kitops.modelkit.manifest.v1+json",
		Config:       Blob{MediaType: "application/vnd.kitops.modelkit.config.v1+json", Data: marshal(kitfile)},
		Layers: []Blob{
			{MediaType: "application/vnd.kitops.modelkit.model.v1.tar", Data: model},
			{MediaType: "application/vnd.kitops.modelkit.docs.v1.tar+gzip", Data: Gzip(Tar(docs...))},
		},
	}
}

// Docker returns an artifact of Docker Model Runner. gguf holds the keys that its configuration repeats from the
// header.
func Docker(model []byte, gguf map[string]string, licenses ...string) Artifact {
	a := Artifact{
		Config: Blob{
			MediaType: "application/vnd.docker.ai.model.config.v0.1+json",
			Data: marshal(map[string]any{
				"config":     map[string]any{"format": "gguf", "quantization": "Q4_0", "parameters": "1 B", "gguf": gguf},
				"descriptor": map[string]any{"created": "2026-01-02T03:04:05Z"},
				"rootfs":     map[string]any{"type": "rootfs", "diff_ids": []string{Digest(model)}},
			}),
		},
		Layers: []Blob{{MediaType: "application/vnd.docker.ai.gguf.v3", Data: model}},
	}
	for _, text := range licenses {
		a.Layers = append(a.Layers, Blob{MediaType: "application/vnd.docker.ai.license", Data: []byte(text)})
	}
	return a
}

// GGUF returns the smallest file of that format with string keys and no tensor; pad bytes follow the header as tensors
// would.
func GGUF(keys map[string]string, pad int) []byte {
	b := []byte("GGUF")
	b = binary.LittleEndian.AppendUint32(b, 3)
	b = binary.LittleEndian.AppendUint64(b, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(keys)))
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		b = appendString(b, key)
		b = binary.LittleEndian.AppendUint32(b, 8) // a string
		b = appendString(b, keys[key])
	}
	return append(b, make([]byte, pad)...)
}

func appendString(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

// Safetensors returns the smallest file of that format with metadata and no tensor; pad bytes follow the header.
func Safetensors(metadata map[string]string, pad int) []byte {
	header := marshal(map[string]any{"__metadata__": metadata})
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, pad)...)
}

// Tar packs files.
func Tar(files ...File) []byte {
	headers := make([]tar.Header, len(files))
	bodies := make([]string, len(files))
	for i, f := range files {
		headers[i] = tar.Header{Name: f.Name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(f.Data))}
		bodies[i] = f.Data
	}
	return TarOf(headers, bodies)
}

// TarOf packs any headers, for archives that no honest tool makes.
func TarOf(headers []tar.Header, bodies []string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := range headers {
		if err := w.WriteHeader(&headers[i]); err != nil {
			panic(err)
		}
		if _, err := w.Write([]byte(bodies[i])); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// Gzip compresses.
func Gzip(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
