package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/records"
)

// maxOnHost bounds services and GPUs of one host.
const maxOnHost = 64

// compose is one service for each replica, each with its own GPUs of one host: compose does not tell replicas of one
// service apart when it hands out devices.
func (p *Plan) compose() ([]byte, error) {
	if p.Nodes > 1 {
		return nil, refuse("compose runs on one host, and the plan has %d nodes; say --emit kubernetes, or take the command line", p.Nodes)
	}
	if p.copies() > maxOnHost || p.copies()*p.gpus() > maxOnHost {
		return nil, refuse("%d replicas with %d GPUs each are more than one host has; say --emit kubernetes", p.copies(), p.gpus())
	}
	image, err := p.pinned()
	if err != nil {
		return nil, err
	}
	options, err := p.engine().options(p, place{container: true})
	if err != nil {
		return nil, err
	}
	services := records.Ordered{}
	for i := range p.copies() {
		services = append(services, records.Entry{Key: p.serviceName(i), Value: p.service(i, image, podArgs(options))})
	}
	file := records.Ordered{{Key: "name", Value: objectName(p.Model.name())}, {Key: "services", Value: services}}
	if !p.local() {
		file = append(file, records.Entry{Key: "volumes", Value: records.Ordered{{Key: "model-cache", Value: records.Ordered{}}}})
	}
	return documents(p.header(p.composeNotes(image)...), file)
}

func (p *Plan) serviceName(i int) string {
	if p.copies() == 1 {
		return "model"
	}
	return "model-" + strconv.Itoa(i)
}

func (p *Plan) composeNotes(image string) []string {
	notes := []string{p.imageNotes(image)}
	if n := p.copies() * p.gpus(); n > 0 {
		notes = append(notes, fmt.Sprintf("the host has to have %d × %s; device ids count from 0, change them where others run", n, p.card()))
	}
	switch p.GPU.Vendor {
	case "nvidia":
		notes = append(notes, "the host needs the NVIDIA driver and the NVIDIA Container Toolkit")
	case "amd":
		notes = append(notes, "the host needs the amdgpu driver; change the numbers below group_add to those of the groups video and render there")
	}
	if p.Model.Gated {
		notes = append(notes, "set HF_TOKEN where compose runs (or in .env, which stays out of version control)")
	}
	if p.local() {
		notes = append(notes, "the files of the model have to be readable for all: the container has no right to look past that")
	}
	notes = append(notes, p.modelNotes()...)
	if p.copies() > 1 {
		notes = append(notes, fmt.Sprintf("%d replicas (%d spare) answer on ports from %d: put a load balancer before them",
			p.copies(), p.Spare, p.Port))
	}
	return append(notes, "there is no authentication, so ports are published to this host only: put your gateway before them")
}

func (p *Plan) service(i int, image string, args []string) records.Ordered {
	s := records.Ordered{{Key: "image", Value: image}}
	if program := p.engine().program(p); p.Engine != "llama.cpp" {
		s = append(s, records.Entry{Key: "entrypoint", Value: program})
	}
	s = append(s,
		records.Entry{Key: "command", Value: args},
		records.Entry{Key: "environment", Value: p.composeEnv(i)},
		records.Entry{Key: "ports", Value: []string{fmt.Sprintf("127.0.0.1:%d:%d", p.Port+i, p.Port)}},
		records.Entry{Key: "volumes", Value: []any{p.composeVolume()}})
	s = append(s, p.composeDevices(i)...)
	return append(s,
		records.Entry{Key: "shm_size", Value: strconv.FormatInt(p.shm()/gib, 10) + "gb"},
		records.Entry{Key: "ipc", Value: "private"},
		records.Entry{Key: "cap_drop", Value: []string{"ALL"}},
		records.Entry{Key: "security_opt", Value: p.composeSecurity()},
		records.Entry{Key: "healthcheck", Value: p.healthcheck()},
		records.Entry{Key: "restart", Value: "unless-stopped"},
		records.Entry{Key: "stop_grace_period", Value: "2m"})
}

func (p *Plan) composeEnv(i int) records.Ordered {
	env := records.Ordered{{Key: "HF_HOME", Value: "/cache"}}
	if p.Engine == "llama.cpp" {
		env = append(env, records.Entry{Key: "LLAMA_CACHE", Value: "/cache"})
	}
	switch {
	case p.local():
		env = append(env, records.Entry{Key: "HF_HUB_OFFLINE", Value: "1"})
	case p.Model.Gated:
		env = append(env, records.Entry{Key: "HF_TOKEN", Value: "${HF_TOKEN:?the model needs a token of Hugging Face}"})
	default:
		env = append(env, records.Entry{Key: "HF_TOKEN", Value: "${HF_TOKEN:-}"})
	}
	if p.GPU.Vendor == "amd" {
		env = append(env, records.Entry{Key: "HIP_VISIBLE_DEVICES", Value: strings.Join(p.deviceIDs(i), ",")})
	}
	return env
}

func (p *Plan) composeVolume() any {
	if !p.local() {
		return "model-cache:/cache"
	}
	return records.Ordered{
		{Key: "type", Value: "bind"},
		{Key: "source", Value: dollars(p.Model.Path)},
		{Key: "target", Value: dollars(p.modelIn(place{container: true}))},
		{Key: "read_only", Value: true},
	}
}

func (p *Plan) deviceIDs(i int) []string {
	ids := make([]string, p.gpus())
	for k := range ids {
		ids[k] = strconv.Itoa(i*p.gpus() + k)
	}
	return ids
}

func (p *Plan) composeDevices(i int) records.Ordered {
	switch p.GPU.Vendor {
	case "nvidia":
		device := records.Ordered{
			{Key: "driver", Value: "nvidia"},
			{Key: "device_ids", Value: p.deviceIDs(i)},
			{Key: "capabilities", Value: []string{"gpu"}},
		}
		return records.Ordered{{Key: "deploy", Value: records.Ordered{{Key: "resources", Value: records.Ordered{
			{Key: "reservations", Value: records.Ordered{{Key: "devices", Value: []records.Ordered{device}}}},
		}}}}}
	case "amd":
		return records.Ordered{
			{Key: "devices", Value: []string{"/dev/kfd:/dev/kfd", "/dev/dri:/dev/dri"}},
			{Key: "group_add", Value: []string{"44", "109"}},
			{Key: "cap_add", Value: []string{"SYS_PTRACE"}, Comment: "ranks read each other's memory"},
		}
	}
	return nil
}

func (p *Plan) composeSecurity() []string {
	opts := []string{"no-new-privileges:true"}
	if p.GPU.Vendor == "amd" {
		opts = append(opts, "seccomp:unconfined")
	}
	return opts
}

func (p *Plan) healthcheck() records.Ordered {
	url := fmt.Sprintf("http://127.0.0.1:%d/health", p.Port)
	test := []string{"CMD", "curl", "-f", "-s", "-o", "/dev/null", url}
	if p.engine().python {
		test = []string{"CMD", "python3", "-c", "import urllib.request; urllib.request.urlopen('" + url + "', timeout=5)"}
	}
	return records.Ordered{
		{Key: "test", Value: test},
		{Key: "interval", Value: "15s"},
		{Key: "timeout", Value: "10s"},
		{Key: "retries", Value: 4},
		{Key: "start_period", Value: strconv.FormatInt(p.startSeconds(), 10) + "s"},
	}
}
