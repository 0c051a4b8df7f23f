package serve

// Kind is the program that serves.
type Kind string

// The engines.
const (
	VLLM         Kind = "vllm"
	SGLang       Kind = "sglang"
	TensorRT     Kind = "trt-llm"
	LlamaCPP     Kind = "llama.cpp"
	Transformers Kind = "transformers"
)

// Engine is one version of a program, with the defaults and laws that hold for it.
type Engine struct {
	Kind    Kind
	Version string // as asked, or the newest that is known
}
