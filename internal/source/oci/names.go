package oci

import (
	"path"
	"slices"
	"strings"
)

// promises are the words in a file's name that say it may hold terms, or a card. The list is wide on purpose: a text
// that is not kept is one that nobody reads.
var promises = []string{
	"licens", "licenc", "copying", "copyright", "notice", "polic", "terms", "usage", "prohibited", "restriction",
	"acceptable", "responsible", "legal", "eula", "agreement", "attribution", "third_part", "third-part", "thirdpart",
	"patent", "readme", "model_card", "model-card", "modelcard", "许可", "許可", "协议", "ライセンス", "利用規約", "라이선스",
}

// evidence reports whether a file may hold terms, or says what the model is made from. Such a file is read when the
// snapshot is opened, and is a gap if that fails.
func evidence(name string) bool {
	if weightFile(name) {
		return false
	}
	base := strings.ToLower(path.Base(name))
	folder := strings.ToLower(path.Base(path.Dir(name)))
	return promising(base) || configuration(base) || textEnding(base) && promising(folder)
}

// promising reports whether a name speaks of terms.
func promising(base string) bool {
	return slices.ContainsFunc(promises, func(word string) bool { return strings.Contains(base, word) })
}

func configuration(base string) bool {
	switch base {
	case "config.json", "adapter_config.json", "model_index.json", "tokenizer_config.json", "processor_config.json",
		"preprocessor_config.json", "kitfile", ".kitfile":
		return true
	}
	yaml := strings.HasSuffix(base, ".yml") || strings.HasSuffix(base, ".yaml")
	return yaml && strings.HasPrefix(base, "merge") || strings.HasSuffix(base, ".index.json")
}

// textEnding reports whether a file is a text for people.
func textEnding(base string) bool {
	switch path.Ext(base) {
	case "", ".txt", ".md", ".markdown", ".html", ".htm", ".rst", ".adoc", ".text":
		return true
	}
	return false
}

// maxOptional is the size up to which other texts in an archive are kept, in bytes.
const maxOptional = 256 << 10

// wanted reports whether a member of an archive is kept: evidence always, another text while it is small.
func wanted(name string, size int64) bool {
	return evidence(name) || weightFile(name) || size <= maxOptional && textEnding(strings.ToLower(path.Base(name)))
}

// weightFile reports whether a name is that of weights.
func weightFile(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".gguf", ".ggml", ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".h5", ".keras", ".pkl", ".dduf",
		".msgpack", ".tflite", ".npz", ".nemo", ".llamafile", ".engine":
		return true
	}
	return false
}
