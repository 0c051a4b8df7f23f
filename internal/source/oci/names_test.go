package oci

import "testing"

// TestEvidence: names that people gave to terms, and some that they did not.
func TestEvidence(t *testing.T) {
	for name, want := range map[string]bool{
		"LICENSE": true, "LICENCE.txt": true, "LICENSE.2": true, "COPYING.LESSER": true, "docs/NOTICE": true, "USE_POLICY.md": true,
		"Qwen LICENSE AGREEMENT": true, "许可证.txt": true, "LICENSE.pdf": true, "licenses/apache.txt": true, "legal/a.html": true,
		"Third-Party-Notices": true, "README.md": true, "README": true, "MODEL_CARD.md": true, "config.json": true,
		"adapter_config.json": true, "model.safetensors.index.json": true, "mergekit_config.yml": true, "Kitfile": true,
		"tokenizer.json": false, "vocab.txt": false, "model.gguf": false, "licenses/weights.bin": false, "train.py": false,
	} {
		if got := evidence(name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}
