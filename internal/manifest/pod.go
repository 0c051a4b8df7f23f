package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/records"
)

func (k cluster) pod(r role) (records.Ordered, error) {
	c, err := k.container(r)
	if err != nil {
		return nil, err
	}
	spec := records.Ordered{
		{Key: "automountServiceAccountToken", Value: false},
		{Key: "enableServiceLinks", Value: false, Comment: "a variable such as VLLM_PORT, made of a Service's name, would confuse the engine"},
		{Key: "terminationGracePeriodSeconds", Value: 120},
	}
	spec = append(spec, k.placement()...)
	if k.Nodes == 1 && k.copies() > 1 {
		spec = append(spec, k.spread())
	}
	spec = append(spec,
		records.Entry{Key: "securityContext", Value: k.podSecurity()},
		records.Entry{Key: "containers", Value: []records.Ordered{c}},
		records.Entry{Key: "volumes", Value: k.volumes()})
	return records.Ordered{
		{Key: "metadata", Value: records.Ordered{{Key: "labels", Value: k.selector(r)}}},
		{Key: "spec", Value: spec},
	}, nil
}

// placement is where pods may run. The label of the card is a comment as long as nobody looked at the nodes.
func (k cluster) placement() records.Ordered {
	if k.gpus() == 0 {
		return nil
	}
	toleration := records.Ordered{{Key: "key", Value: k.resource()}, {Key: "operator", Value: "Exists"}, {Key: "effect", Value: "NoSchedule"}}
	product := k.GPU.Product
	if product == "" {
		product = "the label that your nodes with " + k.card() + " bear"
	}
	label := map[string]string{"nvidia": "nvidia.com/gpu.product", "amd": "amd.com/gpu.product-name"}[k.GPU.Vendor]
	return records.Ordered{{
		Key: "tolerations", Value: []records.Ordered{toleration},
		Comment: fmt.Sprintf("nodeSelector:\n  %s: %s", label, product),
	}}
}

func (k cluster) spread() records.Entry {
	return records.Entry{Key: "topologySpreadConstraints", Value: []records.Ordered{{
		{Key: "maxSkew", Value: 1},
		{Key: "topologyKey", Value: "kubernetes.io/hostname"},
		{Key: "whenUnsatisfiable", Value: "ScheduleAnyway"},
		{Key: "labelSelector", Value: records.Ordered{{Key: "matchLabels", Value: k.selector(leader)}}},
	}}}
}

// podSecurity lets processes of AMD cards read each other's memory, which their default profile forbids.
func (k cluster) podSecurity() records.Ordered {
	if k.GPU.Vendor == "amd" {
		return records.Ordered{
			{Key: "seccompProfile", Value: records.Ordered{{Key: "type", Value: "Unconfined"}}, Comment: "ranks read each other's memory"},
			{Key: "supplementalGroups", Value: []any{44, 109}, Comment: "the groups video and render of your nodes"},
		}
	}
	return records.Ordered{{Key: "seccompProfile", Value: records.Ordered{{Key: "type", Value: "RuntimeDefault"}}}}
}

func (k cluster) container(r role) (records.Ordered, error) {
	options, err := k.engine().options(k.Plan, place{container: true, role: r})
	if err != nil {
		return nil, err
	}
	c := records.Ordered{{Key: "name", Value: "engine"}, {Key: "image", Value: k.image}}
	c = append(c, k.command(r, options)...)
	c = append(c, records.Entry{Key: "env", Value: k.env()})
	if r != worker {
		c = append(c, records.Entry{Key: "ports", Value: []records.Ordered{{
			{Key: "name", Value: "http"}, {Key: "containerPort", Value: k.Port},
		}}})
		c = append(c, k.probes()...)
		c = append(c, records.Entry{Key: "lifecycle", Comment: "until no Service sends requests here any more", Value: records.Ordered{
			{Key: "preStop", Value: records.Ordered{{Key: "exec", Value: records.Ordered{
				{Key: "command", Value: []string{"sh", "-c", "sleep 15"}},
			}}}},
		}})
	}
	return append(c,
		records.Entry{Key: "resources", Value: k.resources()},
		records.Entry{Key: "securityContext", Value: k.containerSecurity()},
		records.Entry{Key: "volumeMounts", Value: k.mounts()}), nil
}

// command is the program with its arguments. Where a node has to compute or to join first, a shell of fixed text does it
// and hands the arguments on as they are.
func (k cluster) command(r role, options []option) records.Ordered {
	program := k.engine().program(k.Plan)
	before := ""
	var later []option
	for i, o := range options {
		if o.value != nil && o.value.kind == startRank {
			options, later = append(options[:i:i], options[i+1:]...), []option{o}
			break
		}
	}
	switch {
	case k.ray() && r == worker:
		return records.Ordered{{Key: "command", Value: []string{"ray", "start", "--address=$(LWS_LEADER_ADDRESS):6379", "--block"}}}
	case k.ray():
		before = "ray start --head --port=6379 && "
	case len(later) == 0 && k.Engine == "llama.cpp":
		return records.Ordered{{Key: "args", Value: podArgs(options)}}
	case len(later) == 0:
		return records.Ordered{{Key: "command", Value: program}, {Key: "args", Value: podArgs(options)}}
	}
	var script strings.Builder
	script.WriteString(before + `exec "$@"`)
	for _, o := range later {
		fmt.Fprintf(&script, ` %s "$((LWS_WORKER_INDEX * %d))"`, o.flag, o.value.each)
	}
	return records.Ordered{
		{Key: "command", Value: append([]string{"sh", "-c", podShell(script.String()), "sh"}, program...)},
		{Key: "args", Value: podArgs(options)},
	}
}

// podShell is a script as Kubernetes hands it on unchanged: "$((" would begin a variable of its own.
func podShell(script string) string { return dollars(script) }

func (k cluster) env() []records.Ordered {
	env := []records.Ordered{variable("HF_HOME", "/cache")}
	if k.Engine == "llama.cpp" {
		env = append(env, variable("LLAMA_CACHE", "/cache"))
	}
	if k.local() {
		return append(env, variable("HF_HUB_OFFLINE", "1"))
	}
	key := records.Ordered{{Key: "name", Value: k.TokenSecret}, {Key: "key", Value: "HF_TOKEN"}}
	if !k.Model.Gated {
		key = append(key, records.Entry{Key: "optional", Value: true})
	}
	return append(env, records.Ordered{
		{Key: "name", Value: "HF_TOKEN"},
		{Key: "valueFrom", Value: records.Ordered{{Key: "secretKeyRef", Value: key}}},
	})
}

func variable(name, value string) records.Ordered {
	return records.Ordered{{Key: "name", Value: name}, {Key: "value", Value: value}}
}

func (k cluster) probes() records.Ordered {
	probe := func(period, timeout int, failures int64) records.Ordered {
		return records.Ordered{
			{Key: "httpGet", Value: records.Ordered{{Key: "path", Value: "/health"}, {Key: "port", Value: "http"}}},
			{Key: "periodSeconds", Value: period},
			{Key: "timeoutSeconds", Value: timeout},
			{Key: "failureThreshold", Value: failures},
		}
	}
	const period = 10
	return records.Ordered{
		{
			Key: "startupProbe", Value: probe(period, 5, (k.startSeconds()+period-1)/period),
			Comment: "download, loading and compilation; raise failureThreshold where the network is slow",
		},
		{Key: "readinessProbe", Value: probe(5, 5, 3)},
		{Key: "livenessProbe", Value: probe(period, 10, 6)},
	}
}

func (k cluster) resources() records.Ordered {
	requests := records.Ordered{{Key: "cpu", Value: strconv.Itoa(k.cpus())}, {Key: "memory", Value: gibs(k.memory())}}
	if k.gpus() == 0 {
		return records.Ordered{{Key: "requests", Value: requests}}
	}
	gpus := records.Entry{Key: k.resource(), Value: strconv.Itoa(k.gpus())}
	return records.Ordered{
		{Key: "requests", Value: append(requests, gpus)},
		{Key: "limits", Value: records.Ordered{gpus}},
	}
}

func (k cluster) containerSecurity() records.Ordered {
	capabilities := records.Ordered{{Key: "drop", Value: []string{"ALL"}}}
	if k.GPU.Vendor == "amd" {
		capabilities = append(capabilities, records.Entry{Key: "add", Value: []string{"SYS_PTRACE"}})
	}
	return records.Ordered{{Key: "allowPrivilegeEscalation", Value: false}, {Key: "capabilities", Value: capabilities}}
}

func (k cluster) mounts() []records.Ordered {
	m := []records.Ordered{{{Key: "name", Value: "shm"}, {Key: "mountPath", Value: "/dev/shm"}}}
	if k.local() {
		return append(m, records.Ordered{{Key: "name", Value: "files"}, {Key: "mountPath", Value: "/models"}, {Key: "readOnly", Value: true}},
			records.Ordered{{Key: "name", Value: "cache"}, {Key: "mountPath", Value: "/cache"}})
	}
	return append(m, records.Ordered{{Key: "name", Value: "files"}, {Key: "mountPath", Value: "/cache"}})
}

func (k cluster) volumes() []records.Ordered {
	v := []records.Ordered{
		{{Key: "name", Value: "shm"}, {Key: "emptyDir", Value: records.Ordered{
			{Key: "medium", Value: "Memory"}, {Key: "sizeLimit", Value: gibs(k.shm())},
		}}},
		{{Key: "name", Value: "files"}, {Key: "persistentVolumeClaim", Value: records.Ordered{{Key: "claimName", Value: k.name + "-files"}}}},
	}
	if k.local() {
		v = append(v, records.Ordered{{Key: "name", Value: "cache"}, {Key: "emptyDir", Value: records.Ordered{}}})
	}
	return v
}
