package quant

import (
	"strings"
)

// Is reports whether a name means what the scheme already is: its own name, another of the same recipe, or any recipe
// whose format is of the same family as that of its linear layers. Names of quantizations are many ("int4", "w4a16",
// "gptq"), and which layers a published file leaves alone is known from the file and not from a name.
func (s *Scheme) Is(name string) bool {
	wanted := strings.ToLower(strings.TrimSpace(name))
	if strings.EqualFold(s.Name, wanted) {
		return true
	}
	if !s.Quantized() || s.GGUF() {
		return false
	}
	r, ok := recipeOf(wanted)
	if !ok || r.f == nil {
		return false
	}
	asked := familyOf(r.f.Name)
	if wanted == "fp4" && familyOf(s.linear().Name) == "mxfp4" { // the plain word means whichever of the two a model is published in
		return true
	}
	if own, ok := recipeOf(strings.ToLower(s.Name)); ok && own.f != nil && familyOf(own.f.Name) == asked {
		return true
	}
	return familyOf(s.linear().Name) == asked
}

// families are formats whose sizes differ in scales and zero points alone. A prefix that begins another stands behind it.
func families() [][]string {
	return [][]string{
		{"int4-packed", "gptq-4", "awq-4", "hqq-4"},
		{"int8-packed", "int8-", "gptq-8", "awq-8"},
		{"fp8-"},
		{"mxfp8"},
		{"mxfp4"},
		{"nvfp4"},
		{"nf4", "fp4"},
		{"bnb-int8"},
	}
}

// familyOf names the family of a format by its first prefix, and a format of no family by itself.
func familyOf(format string) string {
	for _, family := range families() {
		for _, prefix := range family {
			if strings.HasPrefix(format, prefix) {
				return family[0]
			}
		}
	}
	return format
}
