package model

import (
	"path"
	"regexp"
	"strings"
)

// class says what we expect of a file by its name alone.
type class int

const (
	other     class = iota
	cardFile        // README.md
	termsFile       // a text that can hold terms
	sealed          // terms in a format that we do not read, such as PDF
	configFile
	mergeFile
	weightFile
	indexFile  // tells in which weight file each tensor lies
	exportFile // hf_quant_config.json, which says how a file was quantized and nothing else
)

// classify tells the class of a file, and for terms their kind. In a folder made for licenses every text is one.
func classify(name string) (class, TextKind) {
	base := strings.ToLower(path.Base(name))
	switch {
	case base == "readme.md":
		return cardFile, ""
	case isConfig(base):
		return configFile, ""
	case isExport(base):
		return exportFile, ""
	case isMerge(base):
		return mergeFile, ""
	case isWeights(base):
		return weightFile, ""
	case strings.HasSuffix(base, ".safetensors.index.json"):
		return indexFile, ""
	}
	return classifyTerms(base, licenseFolder(name))
}

func classifyTerms(base string, inFolder bool) (class, TextKind) {
	kind, whole := termsKind(base)
	switch ext := path.Ext(base); {
	case kind == "" && !inFolder:
		return other, ""
	case sealedEnding(ext):
		return sealed, kind
	case textEnding(ext):
	case whole && !foreignEnding(ext): // LICENSE.Apache-2.0, COPYING.LESSER
	default:
		return other, ""
	}
	if kind == "" {
		kind = LicenseText
	}
	return termsFile, kind
}

func licenseFolder(name string) bool {
	switch strings.ToLower(path.Base(path.Dir(name))) {
	case "licenses", "licences", "license", "licence", "legal":
		return true
	}
	return false
}

// termsKind reads the promise of a file's name; whole tells that the name starts with it, so that any ending is a part
// of the name.
func termsKind(base string) (kind TextKind, whole bool) {
	stem := strings.NewReplacer("-", "_", " ", "_", ".", "_").Replace(base)
	switch {
	case hasPrefix(stem, "notice", "patents"):
		return NoticeText, true
	case containsAny(stem, "third_part", "thirdpart", "attribution", "copyright_notice"):
		return NoticeText, false
	case hasPrefix(stem, "license", "licence", "copying", "unlicense", "eula"):
		return LicenseText, true
	case containsAny(stem, "license", "licence", "licens_", "terms_of_use", "terms_of_service", "terms_and_conditions",
		"许可", "許可", "使用协议", "社区协议", "ライセンス", "利用規約", "라이선스"):
		return LicenseText, false
	case containsAny(stem, "use_policy", "usage_policy", "acceptable_use", "prohibited_use", "use_restriction",
		"responsible_use", "usage_guidelines"):
		return PolicyText, false
	case stem == "terms", strings.HasPrefix(stem, "terms_"), strings.HasPrefix(stem, "copyright"):
		return LicenseText, true
	case strings.HasSuffix(strings.TrimSuffix(base, path.Ext(base)), "notice"):
		return NoticeText, false
	}
	return "", false
}

func containsAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

func hasPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func textEnding(ext string) bool {
	switch ext {
	case "", ".txt", ".md", ".markdown", ".html", ".htm", ".rst", ".adoc", ".text":
		return true
	}
	return false
}

func sealedEnding(ext string) bool {
	switch ext {
	case ".pdf", ".doc", ".docx", ".odt", ".rtf", ".pages", ".ps", ".gz", ".zip":
		return true
	}
	return false
}

// foreignEnding tells endings that say what the file is: code, data or pictures about licenses, but no license.
func foreignEnding(ext string) bool {
	switch ext {
	case ".py", ".pyc", ".js", ".ts", ".go", ".rs", ".c", ".h", ".cc", ".cpp", ".java", ".sh", ".ps1", ".rb", ".ipynb",
		".json", ".jsonl", ".yaml", ".yml", ".toml", ".xml", ".csv", ".tsv", ".css", ".parquet", ".lock", ".sig", ".asc",
		".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp", ".ico":
		return true
	}
	return false
}

func isConfig(base string) bool {
	switch base {
	case "config.json", "adapter_config.json", "model_index.json", "tokenizer_config.json", "processor_config.json",
		"preprocessor_config.json":
		return true
	}
	return false
}

// exportName is the file that NVIDIA's exporter writes beside config.json. Beside a bare name.json it is called
// name.hf_quant_config.json.
const exportName = "hf_quant_config.json"

func isExport(base string) bool { return base == exportName || strings.HasSuffix(base, "."+exportName) }

func isMerge(base string) bool {
	stem, ok := strings.CutSuffix(base, ".yaml")
	if !ok {
		stem, ok = strings.CutSuffix(base, ".yml")
	}
	return ok && (strings.HasPrefix(stem, "mergekit") || stem == "merge_config" || stem == "merge-config")
}

// isWeights knows weights by their endings. State of a training run is none, although it has the same endings.
func isWeights(base string) bool {
	switch path.Ext(base) {
	case ".safetensors", ".gguf", ".ggml", ".pt", ".pth", ".ckpt", ".pkl", ".onnx", ".h5", ".keras", ".tflite", ".msgpack",
		".npz", ".nemo", ".mlmodel", ".mlpackage", ".mlmodelc", ".llamafile", ".engine", ".tar":
	case ".bin":
	default:
		return false
	}
	return !hasPrefix(base, "training_args", "optimizer", "scheduler", "rng_state", "scaler.", "tokenizer", "random_states")
}

var (
	shard = regexp.MustCompile(`[-_.]0*([0-9]{1,6})-of-0*([0-9]{1,6})$`)
	quant = regexp.MustCompile(`(^|_)(i?q[1-8](_[0-9a-z]+)*|tq[12]_0|b?f(16|32)|fp(8|16|32)|mxfp4(_moe)?|nvfp4|imat|i1|ud)$`)
)

// series is the name of a weight file without the parts that differ between the files of one model: the number of the
// shard and, for GGUF, the quantization.
func series(name string) string {
	name = strings.ToLower(name)
	ext := path.Ext(name)
	stem := shard.ReplaceAllString(strings.TrimSuffix(name, ext), "")
	if ext != ".gguf" {
		return stem + ext
	}
	var kept []string
	for token := range strings.FieldsFuncSeq(stem, func(r rune) bool { return r == '-' || r == '.' || r == '/' }) {
		if token = quant.ReplaceAllString(token, ""); token != "" {
			kept = append(kept, token)
		}
	}
	return strings.Join(kept, "-") + ext
}
