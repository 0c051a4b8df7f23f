package manifest

import (
	"strings"

	"github.com/llmcheck/llmcheck/internal/records"
)

// Chart is the chart that helm-values are for, with the commit of its values.schema.json that they were held against.
const Chart = "vllm-stack 0.1.x of https://vllm-project.github.io/production-stack (values.schema.json of commit 01eaf92c)"

// helm are values of the production stack of vLLM. Its templates pass most settings through extraArgs, because older
// versions of the chart drop keys that they do not know without a word.
func (p *Plan) helm() ([]byte, error) {
	switch {
	case p.Engine != "vllm":
		return nil, refuse("the chart runs vLLM, and the plan is for %s; say --emit kubernetes, or plan with --engine vllm", p.Engine)
	case p.Nodes > 1:
		return nil, refuse("the chart spans nodes by KubeRay, which is not written; say --emit kubernetes")
	case p.local():
		return nil, refuse("the chart downloads a model, and the plan has a path; say --emit kubernetes")
	}
	image, err := p.pinned()
	if err != nil {
		return nil, err
	}
	if _, tag := splitImage(image); tag == "" {
		return nil, refuse("image %s has no tag, which the chart needs", image)
	}
	options, err := vllmOptions(p, place{container: true})
	if err != nil {
		return nil, err
	}
	values := records.Ordered{{Key: "servingEngineSpec", Value: p.helmEngine(image, options)}}
	return documents(p.header(p.helmNotes(image)...), values)
}

func (p *Plan) helmNotes(image string) []string {
	notes := []string{
		"these are values for the chart " + Chart + ": helm install NAME vllm/vllm-stack -f THIS-FILE",
		p.imageNotes(image),
		"the chart's GPU limits, Service, router and storage are its own: read what helm template gives before you install it",
	}
	if p.Model.Gated {
		notes = append(notes, "make the secret "+p.TokenSecret+" with the key HF_TOKEN first")
	}
	if p.copies() > 1 {
		notes = append(notes, "the volume is shared by all replicas and needs a storage class with ReadWriteMany")
	}
	notes = append(notes, p.modelNotes()...)
	return append(notes, "choose nodes with "+p.card()+" by nodeSelectorTerms",
		"there is no authentication unless you set vllmApiKey to a secret")
}

func (p *Plan) helmEngine(image string, options []option) records.Ordered {
	probe := func(period, failures int64) records.Ordered {
		return records.Ordered{
			{Key: "initialDelaySeconds", Value: 15},
			{Key: "periodSeconds", Value: period},
			{Key: "failureThreshold", Value: failures},
			{Key: "httpGet", Value: records.Ordered{{Key: "path", Value: "/health"}, {Key: "port", Value: p.Port}}},
		}
	}
	return records.Ordered{
		{Key: "enableEngine", Value: true},
		{Key: "containerPort", Value: p.Port},
		{Key: "servicePort", Value: 80},
		{Key: "imagePullPolicy", Value: "IfNotPresent"},
		{Key: "startupProbe", Value: probe(10, (p.startSeconds()+9)/10)},
		{Key: "livenessProbe", Value: probe(10, 6)},
		{Key: "strategy", Value: records.Ordered{
			{Key: "type", Value: "RollingUpdate"},
			{Key: "rollingUpdate", Value: records.Ordered{{Key: "maxSurge", Value: 0}, {Key: "maxUnavailable", Value: 1}}},
		}},
		{Key: "modelSpec", Value: []records.Ordered{p.helmModel(image, options)}},
	}
}

func (p *Plan) helmModel(image string, options []option) records.Ordered {
	repository, tag := splitImage(image)
	mode := "ReadWriteOnce"
	if p.copies() > 1 {
		mode = "ReadWriteMany"
	}
	m := records.Ordered{
		{Key: "name", Value: objectName(p.Model.name())},
		{Key: "repository", Value: repository},
		{Key: "tag", Value: tag},
		{Key: "modelURL", Value: dollars(p.Model.Hub)},
		{Key: "replicaCount", Value: p.copies()},
		{Key: "requestCPU", Value: p.cpus()},
		{Key: "requestMemory", Value: gibs(p.memory())},
		{Key: "requestGPU", Value: p.gpus()},
		{Key: "requestGPUType", Value: p.resource()},
		{Key: "pvcStorage", Value: gibs(p.disk())},
		{Key: "pvcAccessMode", Value: []string{mode}},
		{Key: "shmSize", Value: gibs(p.shm())},
	}
	if p.Model.Gated {
		m = append(m, records.Entry{Key: "hf_token", Value: records.Ordered{
			{Key: "secretName", Value: p.TokenSecret}, {Key: "secretKey", Value: "HF_TOKEN"},
		}})
	}
	return append(m, records.Entry{Key: "vllmConfig", Value: p.helmConfig(options)})
}

// helmConfig has the settings that every version of the chart reads under their own keys, and the rest as arguments.
func (p *Plan) helmConfig(options []option) records.Ordered {
	config := records.Ordered{
		{Key: "enablePrefixCaching", Value: true, Comment: "as by default in vLLM; the chart turns it off where nothing is said"},
		{Key: "tensorParallelSize", Value: p.Tensor},
	}
	if p.MaxModelLen > 0 {
		config = append(config, records.Entry{Key: "maxModelLen", Value: p.MaxModelLen})
	}
	if p.MaxSeqs > 0 {
		config = append(config, records.Entry{Key: "maxNumSeqs", Value: p.MaxSeqs})
	}
	if p.Utilization > 0 {
		config = append(config, records.Entry{Key: "gpuMemoryUtilization", Value: p.Utilization})
	}
	var rest []option
	for _, o := range options {
		switch o.flag {
		case "", "--host", "--port", "--tensor-parallel-size", "--max-model-len", "--max-num-seqs", "--gpu-memory-utilization":
		default:
			rest = append(rest, o)
		}
	}
	if len(rest) > 0 {
		config = append(config, records.Entry{Key: "extraArgs", Value: podArgs(rest)})
	}
	return config
}

func splitImage(image string) (repository, tag string) {
	i := strings.LastIndexByte(image, ':')
	if i < 0 || strings.Contains(image[i:], "/") {
		return image, ""
	}
	return image[:i], image[i+1:]
}
