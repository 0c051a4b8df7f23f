package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	composeschema "github.com/compose-spec/compose-go/v2/schema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// leaderWorkerSet are the fields of leaderworkerset.x-k8s.io/v1 (api/leaderworkerset/v1 of kubernetes-sigs/lws) that we
// write, with their types. Strict decoding refuses any other.
type leaderWorkerSet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Replicas             *int32 `json:"replicas"`
		StartupPolicy        string `json:"startupPolicy"`
		LeaderWorkerTemplate struct {
			LeaderTemplate *corev1.PodTemplateSpec `json:"leaderTemplate"`
			WorkerTemplate corev1.PodTemplateSpec  `json:"workerTemplate"`
			Size           *int32                  `json:"size"`
			RestartPolicy  string                  `json:"restartPolicy"`
		} `json:"leaderWorkerTemplate"`
		RolloutStrategy struct {
			Type                       string `json:"type"`
			RollingUpdateConfiguration struct {
				MaxUnavailable intstr.IntOrString `json:"maxUnavailable"`
				MaxSurge       intstr.IntOrString `json:"maxSurge"`
			} `json:"rollingUpdateConfiguration"`
		} `json:"rolloutStrategy"`
	} `json:"spec"`
}

// objects are the documents of a stream by kind, decoded strictly into the published types.
type objects struct {
	claim      *corev1.PersistentVolumeClaim
	deployment *appsv1.Deployment
	group      *leaderWorkerSet
	service    *corev1.Service
	budget     *policyv1.PodDisruptionBudget
}

func decode(data []byte) (o objects, err error) {
	for doc := range bytes.SplitSeq(data, []byte("\n---\n")) {
		var meta metav1.TypeMeta
		if err := yaml.Unmarshal(doc, &meta); err != nil {
			return o, err
		}
		var into any
		switch meta.APIVersion + " " + meta.Kind {
		case "v1 PersistentVolumeClaim":
			o.claim = &corev1.PersistentVolumeClaim{}
			into = o.claim
		case "apps/v1 Deployment":
			o.deployment = &appsv1.Deployment{}
			into = o.deployment
		case "leaderworkerset.x-k8s.io/v1 LeaderWorkerSet":
			o.group = &leaderWorkerSet{}
			into = o.group
		case "v1 Service":
			o.service = &corev1.Service{}
			into = o.service
		case "policy/v1 PodDisruptionBudget":
			o.budget = &policyv1.PodDisruptionBudget{}
			into = o.budget
		case " ":
			continue // the header
		default:
			return o, fmt.Errorf("unexpected %s %s", meta.APIVersion, meta.Kind)
		}
		if err := yaml.UnmarshalStrict(doc, into, yaml.DisallowUnknownFields); err != nil {
			return o, fmt.Errorf("%s: %w", meta.Kind, err)
		}
	}
	return o, nil
}

// pods are the templates of all pods, that of those which answer clients first.
func (o objects) pods() []corev1.PodTemplateSpec {
	if o.group != nil {
		t := o.group.Spec.LeaderWorkerTemplate
		return []corev1.PodTemplateSpec{*t.LeaderTemplate, t.WorkerTemplate}
	}
	return []corev1.PodTemplateSpec{o.deployment.Spec.Template}
}

func TestKubernetesIsValid(t *testing.T) {
	n := 0
	for name, p := range plans() {
		data, err := Bytes("kubernetes", p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		o, err := decode(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		n++
		t.Run(name, func(t *testing.T) { o.check(t, p.filled()) })
	}
	if n < 12 {
		t.Errorf("only %d plans were looked at", n)
	}
}

// check is what an API server and a person who applies it would look for.
func (o objects) check(t *testing.T, p *Plan) {
	t.Helper()
	if o.claim == nil || o.service == nil || (o.deployment == nil) == (o.group == nil) {
		t.Fatal("want a claim, a service and one workload")
	}
	if (o.budget != nil) != (p.copies() > 1) {
		t.Error("a budget of disruptions belongs to several replicas, and to nothing else")
	}
	for _, pod := range o.pods() {
		checkPod(t, p, pod, o.claim.Name)
	}
	first := o.pods()[0]
	if !within(o.service.Spec.Selector, first.Labels) {
		t.Error("the service does not select the pods that answer")
	}
	if o.budget != nil && !within(o.budget.Spec.Selector.MatchLabels, first.Labels) {
		t.Error("the budget does not select the pods that answer")
	}
	if o.deployment != nil {
		if !within(o.deployment.Spec.Selector.MatchLabels, first.Labels) {
			t.Error("the deployment does not select its pods")
		}
		return
	}
	if within(o.service.Spec.Selector, o.pods()[1].Labels) {
		t.Error("the service sends requests to workers")
	}
	if *o.group.Spec.LeaderWorkerTemplate.Size != int32(p.Nodes) || *o.group.Spec.Replicas != int32(p.copies()) {
		t.Error("wrong number of nodes or groups")
	}
}

func checkPod(t *testing.T, p *Plan, pod corev1.PodTemplateSpec, claim string) {
	t.Helper()
	c := pod.Spec.Containers[0]
	if name := corev1.ResourceName(p.resource()); name != "" {
		got, limit := c.Resources.Requests[name], c.Resources.Limits[name]
		if got.Value() != int64(p.GPUsPerNode) || got.Cmp(limit) != 0 {
			t.Errorf("%s requested, %s at most, want %d", got.String(), limit.String(), p.GPUsPerNode)
		}
	}
	if memory := c.Resources.Requests.Memory().Value(); memory < p.HostBytes+p.shm() {
		t.Errorf("%d bytes of memory are less than what stays on the host", memory)
	}
	volumes := make(map[string]corev1.Volume)
	for _, v := range pod.Spec.Volumes {
		volumes[v.Name] = v
	}
	for _, m := range c.VolumeMounts {
		v, ok := volumes[m.Name]
		if !ok {
			t.Errorf("mount %s has no volume", m.Name)
		}
		if m.MountPath == "/dev/shm" && (v.EmptyDir == nil || v.EmptyDir.Medium != corev1.StorageMediumMemory || v.EmptyDir.SizeLimit.IsZero()) {
			t.Error("/dev/shm is no memory of a size")
		}
		delete(volumes, m.Name)
		if v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName != claim {
			t.Errorf("claim %s is not there", v.PersistentVolumeClaim.ClaimName)
		}
	}
	if len(volumes) > 0 {
		t.Errorf("volumes without a mount: %v", slices.Collect(maps.Keys(volumes)))
	}
	for _, e := range c.Env {
		if e.Name == "HF_TOKEN" && (e.Value != "" || e.ValueFrom.SecretKeyRef.Name != p.TokenSecret) {
			t.Error("the token does not come from its secret")
		}
	}
	if worker := strings.HasSuffix(pod.Labels["llmcheck/role"], "worker"); worker != (c.StartupProbe == nil) ||
		worker != (c.LivenessProbe == nil) || worker != (c.ReadinessProbe == nil) {
		t.Error("pods that answer have probes, and workers have none")
	}
}

func within(some, all map[string]string) bool {
	for k, v := range some {
		if all[k] != v {
			return false
		}
	}
	return len(some) > 0
}

func composeFile(data []byte) (map[string]any, error) {
	var doc map[string]any
	if err := yaml.UnmarshalStrict(data, &doc); err != nil {
		return nil, err
	}
	return doc, composeschema.Validate(doc)
}

func TestComposeIsValid(t *testing.T) {
	n := 0
	for name, p := range plans() {
		if p.Nodes > 1 {
			continue
		}
		data, err := Bytes("compose", p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := composeFile(data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		n++
	}
	if n < 8 {
		t.Errorf("only %d plans were looked at", n)
	}
	if _, err := composeFile([]byte("services: {a: {image: x, gpu: 1}}")); err == nil {
		t.Error("the schema accepts anything")
	}
}

// helmSchema is that of the chart, closed: the chart drops keys that it does not know, and we want to know.
func helmSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile("testdata/vllm-stack.values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	closeObjects(doc)
	c := jsonschema.NewCompiler()
	if err := c.AddResource("values.json", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("values.json")
}

func closeObjects(v any) {
	m, _ := v.(map[string]any)
	if properties, ok := m["properties"].(map[string]any); ok {
		m["additionalProperties"] = false
		for _, p := range properties {
			closeObjects(p)
		}
	}
	if items, ok := m["items"]; ok {
		closeObjects(items)
	}
}

func unmarshal(data []byte, v any) error { return yaml.UnmarshalStrict(data, v) }

func TestHelmValuesAreValid(t *testing.T) {
	schema, n := helmSchema(t), 0
	for name, p := range plans() {
		if p.Engine != "vllm" || p.Nodes > 1 {
			continue
		}
		data, err := Bytes("helm-values", p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var doc any
		if err := yaml.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		n++
	}
	if n < 4 {
		t.Errorf("only %d plans were looked at", n)
	}
}
