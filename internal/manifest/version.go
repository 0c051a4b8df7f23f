package manifest

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
)

// release is a version as tags of images spell it. Anything else ("0.9.x", "LMI (vLLM 0.7)") names no image.
const release = `^v?([0-9]{1,5}(\.[0-9]{1,5}){1,3}(\.?(post|rc)[0-9]{1,3})?|b[0-9]{1,6})$`

// tag is the version as in tags of images, without the v.
func (p *Plan) tag() (string, error) {
	ok, err := regexp.MatchString(release, p.Version)
	if err != nil || !ok {
		return "", refuse("version %q of %s names no release, so no image can be pinned; plan with an --engine-version such as 0.23.0",
			printable.Line(p.Version), p.Engine)
	}
	return strings.TrimPrefix(p.Version, "v"), nil
}

// since reports whether the version is major.minor or later. A version that is not understood is taken for a new one.
func (p *Plan) since(major, minor int) bool {
	v := strings.TrimPrefix(p.Version, "v")
	head, rest, _ := strings.Cut(v, ".")
	a, err := strconv.Atoi(head)
	if err != nil {
		return true
	}
	digits := 0
	for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
		digits++
	}
	b, err := strconv.Atoi(rest[:digits])
	if err != nil {
		b = 0
	}
	return a > major || a == major && b >= minor
}

// build is the number of a build of llama.cpp from before it had versions.
func (p *Plan) build() (number int, ok bool) {
	digits, ok := strings.CutPrefix(p.Version, "b")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil
}

// pinned is the image of a plan: the one that was asked for, or the engine's own.
func (p *Plan) pinned() (string, error) {
	if !slices.Contains([]string{"nvidia", "amd", "none"}, p.GPU.Vendor) {
		return "", refuse("containers are not written for devices of %s; say --emit %s and run that there",
			printable.Line(p.GPU.Vendor), cmp.Or(p.engine().format, "vllm with another --engine"))
	}
	if p.Image != "" {
		if ok, err := regexp.MatchString(`^[a-z0-9][A-Za-z0-9._/:@-]{0,500}$`, p.Image); err != nil || !ok {
			return "", refuse("%s is no name of an image", printable.Line(p.Image))
		}
		return p.Image, nil
	}
	return p.engine().image(p)
}

// minorVersion is a version without what follows its three numbers: 0.5.6.post1 is 0.5.6.
func minorVersion(v string) string {
	parts := strings.SplitN(strings.TrimPrefix(v, "v"), ".", 4)
	return strings.Join(parts[:min(len(parts), 3)], ".")
}
