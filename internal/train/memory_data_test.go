package train

import (
	"strings"
	"testing"
)

func TestMemoryFile(t *testing.T) {
	if _, err := remembered(); err != nil {
		t.Fatal(err)
	}
	text := string(memoryFile)
	for _, c := range []struct{ name, from, to, want string }{
		{"a constant is missing", "name: fragments", "name: pieces", "no constant fragments"},
		{"a range is not in order", "name: group, unit: B, low: 0", "name: group, unit: B, low: 9e9", "constant group"},
		{"a framework is missing", "framework: deepspeed", "framework: shallowspeed", "no numerics of deepspeed"},
		{"a format is missing", "name: nf4-dq", "name: nf4-tq", "no format nf4-dq"},
		{"a case is missing", `"mixture of experts"`, `"mixture"`, "no case"},
		{"a key is not known", "framework: megatron, weights", "framework: megatron, wights", "wights"},
		{"a source is missing", `source: "TRL: GRPOConfig, vllm_gpu_memory_utilization 0.3 where the engine shares devices"`, `source: ""`, "constant engine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			broken := strings.Replace(text, c.from, c.to, 1)
			if broken == text {
				t.Fatalf("%q is not in the file", c.from)
			}
			if _, err := parseMemory([]byte(broken)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
