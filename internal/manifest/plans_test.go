package manifest

// plans are a dozen that people deploy. Names of files are those of the plan and the format.
func plans() map[string]*Plan {
	header := []string{
		"Made by llmcheck 0.4.0 on 2026-11-24.",
		"Verdict: fits; 23.4 requests of 8,192 tokens at once.",
		"llmcheck estimate hf:meta-llama/Llama-3.1-8B-Instruct --gpu L40S --emit vllm",
	}
	llama8 := Model{
		Hub: "meta-llama/Llama-3.1-8B-Instruct", Revision: "0e9e39f249a16976918f6564b8830bc894c89659", Bytes: 16_060_556_376,
		Gated: true, License: "Llama 3.1 Community License: show \"Built with Llama\"",
	}
	deepseek := Model{Hub: "deepseek-ai/DeepSeek-V3", Revision: "e815299b0bcbac849fa540c768ef21845365c9eb", Bytes: 688_586_727_753}
	h100 := GPU{Vendor: "nvidia", Name: "H100 SXM5 80 GB", Product: "NVIDIA-H100-80GB-HBM3"}
	qwen := Model{Hub: "Qwen/Qwen3-30B-A3B", Revision: "ad44e777bcd18fa416d9da3bd8f70d33ebb85d39", Bytes: 61_083_500_000}
	gguf := Model{Hub: "unsloth/Qwen3-30B-A3B-GGUF", Revision: "d5b1d57bd0b504ac62ae6c725904e96ef228dc74", File: "Qwen3-30B-A3B-Q4_K_M.gguf", Bytes: 18_556_686_912}
	return map[string]*Plan{
		"small": {
			Header: header, Model: llama8, Engine: "vllm", Version: "0.23.0", GPUsPerNode: 1, GPU: GPU{Vendor: "nvidia", Name: "L40S"},
			MaxModelLen: 8192, MaxSeqs: 64, Utilization: 0.92,
		},
		"fp8": {
			Header: header, Model: llama8, Engine: "vllm", Version: "0.11.0", GPUsPerNode: 1, GPU: GPU{Vendor: "nvidia", Name: "L4"},
			Quantize: "fp8", KV: "fp8", MaxModelLen: 4096, Utilization: 0.9, Eager: true, Replicas: 3, Spare: 1, ServedName: "llama",
		},
		"tp8": {
			Header: header, Model: Model{Hub: "meta-llama/Llama-3.1-405B-Instruct-FP8", Bytes: 410_000_000_000, Gated: true}, Engine: "vllm",
			Version: "0.23.0", Tensor: 8, GPUsPerNode: 8, GPU: h100, MaxModelLen: 32768, MaxSeqs: 128, BatchedTokens: 8192, Utilization: 0.9, Replicas: 2,
		},
		"nodes": {
			Header: header, Model: deepseek, Engine: "vllm", Version: "0.23.0", Tensor: 8, Pipeline: 2, Nodes: 2, GPUsPerNode: 8, GPU: h100,
			MaxModelLen: 65536, Utilization: 0.92,
		},
		"nodes-ray": {
			Header: header, Model: deepseek, Engine: "vllm", Version: "0.10.1", Tensor: 8, Pipeline: 2, Nodes: 2, GPUsPerNode: 8, GPU: h100,
			MaxModelLen: 65536, Utilization: 0.9, Replicas: 2,
		},
		"dep16": {
			Header: header, Model: deepseek, Engine: "vllm", Version: "0.23.0", Data: 16, Expert: 16, Nodes: 2, GPUsPerNode: 8, GPU: h100,
			MaxModelLen: 16384, MaxSeqs: 256, Utilization: 0.9, Speculative: Speculative{Method: "mtp", Tokens: 1},
		},
		"dep8-sglang": {
			Header: header, Model: deepseek, Engine: "sglang", Version: "0.5.6", Data: 8, Expert: 8, GPUsPerNode: 8,
			GPU: GPU{Vendor: "nvidia", Name: "H200 SXM5 141 GB", Product: "NVIDIA-H200"}, MaxModelLen: 16384, MaxSeqs: 128, BatchedTokens: 8192, Utilization: 0.88,
		},
		"nodes-sglang": {
			Header: header, Model: deepseek, Engine: "sglang", Version: "0.5.6", Tensor: 16, Nodes: 2, GPUsPerNode: 8, GPU: h100,
			MaxModelLen: 65536, Utilization: 0.9,
		},
		"offload": {
			Header: header, Model: gguf, Engine: "llama.cpp", Version: "b7000", GPUsPerNode: 1, GPU: GPU{Vendor: "nvidia", Name: "RTX 4090"},
			MaxModelLen: 32768, HostBytes: 9_000_000_000, Llama: Llama{GPULayers: 40, CPUExperts: 20, Slots: 2, MicroBatch: 512, Flash: "on", CacheK: "q8_0", CacheV: "q8_0"},
		},
		"cpu": {
			Header: header, Model: Model{Path: "./models/tiny model.gguf", Bytes: 700_000_000}, Engine: "llama.cpp", Version: "0.5.0",
			GPU: GPU{Vendor: "none"}, MaxModelLen: 4096, HostBytes: 1_200_000_000, Llama: Llama{Slots: 1, NoMMap: true},
		},
		"rocm": {
			Header: header, Model: qwen, Engine: "vllm", Version: "0.23.0", Tensor: 2, GPUsPerNode: 2, GPU: GPU{Vendor: "amd", Name: "Instinct MI300X"},
			MaxModelLen: 32768, MaxSeqs: 256, Utilization: 0.9, Replicas: 2,
		},
		"rocm-sglang": {
			Header: header, Model: qwen, Engine: "sglang", Version: "0.5.6", GPUsPerNode: 1, MaxModelLen: 32768, Utilization: 0.85,
			GPU: GPU{Vendor: "amd", Name: "Instinct MI300X", Family: "mi30x"},
		},
		"trt-llm": {
			Header: header, Model: qwen, Engine: "trt-llm", Version: "1.2.0", Tensor: 2, Expert: 2, GPUsPerNode: 2, GPU: h100,
			MaxModelLen: 16384, MaxSeqs: 128, BatchedTokens: 8192, Utilization: 0.9,
		},
	}
}
