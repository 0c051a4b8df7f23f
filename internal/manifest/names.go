package manifest

import (
	"fmt"
	"hash/fnv"
	"path"
	"strings"
)

// maxName leaves room for what controllers append to the names of pods, which are 63 bytes at most.
const maxName = 40

// objectName is a DNS label from any model: what is no letter or digit is a dash. Names that lost more than case and dots
// get a few digits of their sum, so that two models do not become one.
func objectName(model string) string {
	base := model
	if i := strings.LastIndexByte(strings.TrimRight(model, "/"), '/'); i >= 0 {
		base = model[i+1:]
	}
	name, lost := dashed(strings.TrimSuffix(strings.TrimRight(base, "/"), ".gguf"))
	if len(name) > maxName {
		name, lost = name[:maxName], true
	}
	name = strings.Trim(name, "-")
	switch {
	case name == "":
		name, lost = "model", true
	case name[0] >= '0' && name[0] <= '9':
		name = "m-" + name // names of services begin with a letter
	}
	if lost {
		sum := fnv.New32a()
		sum.Write([]byte(model))
		name = fmt.Sprintf("%s-%08x", strings.TrimRight(name, "-"), sum.Sum32())
	}
	return name
}

func dashed(s string) (name string, lost bool) {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-':
			b.WriteRune(r)
		case r >= 'A' && r <= 'Z':
			b.WriteRune(r + 'a' - 'A')
		case r == '.' || r == '_':
			b.WriteByte('-')
		default:
			b.WriteByte('-')
			lost = true
		}
	}
	return b.String(), lost
}

// secretName reports whether a text is a DNS subdomain.
func secretName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		name, lost := dashed(label)
		if lost || name != label || label == "" || strings.Trim(label, "-") != label {
			return false
		}
	}
	return true
}

// labelValue is a text as a value of a label.
func labelValue(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c|0x20 < 'a' && (c < '0' || c > '9') && c != '.' && c != '-' || c|0x20 > 'z' {
			b[i] = '-'
		}
	}
	return strings.Trim(string(b[:min(len(b), 63)]), "-._")
}

// fileName is what a path is called inside a container.
func fileName(p string) string {
	switch base := path.Base(strings.TrimRight(strings.ReplaceAll(p, `\`, "/"), "/")); base {
	case ".", "..", "/":
		return "model"
	default:
		return base
	}
}
