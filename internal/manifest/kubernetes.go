package manifest

import (
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/records"
)

// kubernetes is a Deployment, or a LeaderWorkerSet for several nodes, with a Service, a claim for the files of the model
// and, for several replicas, a budget of disruptions. The claim outlives pods, so that a restart does not download again.
func (p *Plan) kubernetes() ([]byte, error) {
	image, err := p.pinned()
	if err != nil {
		return nil, err
	}
	k := cluster{Plan: p, name: objectName(p.Model.name()), image: image}
	workload, err := k.workload()
	if err != nil {
		return nil, err
	}
	list := []records.Ordered{k.claim(), workload, k.service()}
	if p.copies() > 1 {
		list = append(list, k.budget())
	}
	return documents(p.header(k.notes()...), list...)
}

// cluster is a plan with the names it gets there.
type cluster struct {
	*Plan
	name, image string
}

func (k cluster) workload() (records.Ordered, error) {
	if k.Nodes > 1 {
		return k.group()
	}
	pod, err := k.pod(alone)
	if err != nil {
		return nil, err
	}
	return records.Ordered{
		{Key: "apiVersion", Value: "apps/v1"},
		{Key: "kind", Value: "Deployment"},
		{Key: "metadata", Value: k.metadata(k.name)},
		{Key: "spec", Value: records.Ordered{
			{Key: "replicas", Value: k.copies()},
			{Key: "strategy", Value: k.strategy()},
			{Key: "progressDeadlineSeconds", Value: k.startSeconds() + 600},
			{Key: "selector", Value: records.Ordered{{Key: "matchLabels", Value: k.selector(alone)}}},
			{Key: "template", Value: pod},
		}},
	}, nil
}

// strategy makes no pod before another has gone: the plan has as many GPUs as it needs.
func (k cluster) strategy() records.Ordered {
	if k.copies() == 1 {
		return records.Ordered{{Key: "type", Value: "Recreate"}}
	}
	return records.Ordered{
		{Key: "type", Value: "RollingUpdate"},
		{Key: "rollingUpdate", Value: records.Ordered{{Key: "maxSurge", Value: 0}, {Key: "maxUnavailable", Value: 1}}},
	}
}

// group is one set of pods for each replica, one pod a node, which live and die together.
func (k cluster) group() (records.Ordered, error) {
	head, err := k.pod(leader)
	if err != nil {
		return nil, err
	}
	rest, err := k.pod(worker)
	if err != nil {
		return nil, err
	}
	return records.Ordered{
		{Key: "apiVersion", Value: "leaderworkerset.x-k8s.io/v1"},
		{Key: "kind", Value: "LeaderWorkerSet"},
		{Key: "metadata", Value: k.metadata(k.name)},
		{Key: "spec", Value: records.Ordered{
			{Key: "replicas", Value: k.copies()},
			{Key: "startupPolicy", Value: "LeaderCreated"},
			{Key: "rolloutStrategy", Value: records.Ordered{
				{Key: "type", Value: "RollingUpdate"},
				{Key: "rollingUpdateConfiguration", Value: records.Ordered{
					{Key: "maxUnavailable", Value: 1}, {Key: "maxSurge", Value: 0},
				}},
			}},
			{Key: "leaderWorkerTemplate", Value: records.Ordered{
				{Key: "size", Value: k.Nodes},
				{Key: "restartPolicy", Value: "RecreateGroupOnPodRestart"},
				{Key: "leaderTemplate", Value: head},
				{Key: "workerTemplate", Value: rest},
			}},
		}},
	}, nil
}

func (k cluster) metadata(name string) records.Ordered {
	judged := records.Ordered{{Key: "llmcheck/model", Value: k.Model.name()}}
	if k.Model.Revision != "" {
		judged = append(judged, records.Entry{Key: "llmcheck/revision", Value: k.Model.Revision})
	}
	return records.Ordered{
		{Key: "name", Value: name},
		{Key: "labels", Value: append(k.selector(alone),
			records.Entry{Key: "app.kubernetes.io/version", Value: labelValue(k.Version)},
			records.Entry{Key: "app.kubernetes.io/component", Value: "inference"})},
		{Key: "annotations", Value: judged},
	}
}

// selector are the labels that tell the pods of the plan, or only those that answer clients.
func (k cluster) selector(r role) records.Ordered {
	s := records.Ordered{
		{Key: "app.kubernetes.io/name", Value: strings.ReplaceAll(k.Engine, ".", "-")},
		{Key: "app.kubernetes.io/instance", Value: k.name},
	}
	if r == alone || k.Nodes == 1 {
		return s
	}
	return append(s, records.Entry{Key: "llmcheck/role", Value: r.String()})
}

// String is the role as a label.
func (r role) String() string { return [...]string{"alone", "leader", "worker"}[r] }

func (k cluster) claim() records.Ordered {
	mode := "ReadWriteOnce"
	if k.copies()*k.Nodes > 1 {
		mode = "ReadWriteMany"
	}
	return records.Ordered{
		{Key: "apiVersion", Value: "v1"},
		{Key: "kind", Value: "PersistentVolumeClaim"},
		{Key: "metadata", Value: k.metadata(k.name + "-files")},
		{Key: "spec", Value: records.Ordered{
			{Key: "accessModes", Value: []string{mode}},
			{Key: "resources", Value: records.Ordered{{Key: "requests", Value: records.Ordered{{Key: "storage", Value: gibs(k.disk())}}}}},
		}},
	}
}

func (k cluster) service() records.Ordered {
	return records.Ordered{
		{Key: "apiVersion", Value: "v1"},
		{Key: "kind", Value: "Service"},
		{Key: "metadata", Value: k.metadata(k.name + "-api")},
		{Key: "spec", Value: records.Ordered{
			{Key: "type", Value: "ClusterIP"},
			{Key: "selector", Value: k.selector(leader)},
			{Key: "ports", Value: []records.Ordered{{
				{Key: "name", Value: "http"}, {Key: "port", Value: 80}, {Key: "targetPort", Value: "http"},
			}}},
		}},
	}
}

func (k cluster) budget() records.Ordered {
	return records.Ordered{
		{Key: "apiVersion", Value: "policy/v1"},
		{Key: "kind", Value: "PodDisruptionBudget"},
		{Key: "metadata", Value: k.metadata(k.name)},
		{Key: "spec", Value: records.Ordered{
			{Key: "maxUnavailable", Value: 1},
			{Key: "selector", Value: records.Ordered{{Key: "matchLabels", Value: k.selector(leader)}}},
		}},
	}
}

func (k cluster) notes() []string {
	notes := []string{k.imageNotes(k.image)}
	if k.gpus() > 0 {
		notes = append(notes, fmt.Sprintf("nodes have to offer %d × %s (%s) through the device plugin of the vendor: choose them by nodeSelector below",
			k.gpus(), k.card(), k.resource()))
	}
	if k.Nodes > 1 {
		notes = append(notes, fmt.Sprintf("install LeaderWorkerSet (leaderworkerset.x-k8s.io/v1), and place the %d nodes of a group near each other: "+
			"NCCL finds InfiniBand or RoCE only if the pod is given it (rdma resource, IPC_LOCK)", k.Nodes))
	}
	mode := "a storage class; add storageClassName if the default one is not fast"
	if k.copies()*k.Nodes > 1 {
		mode = "a storage class with ReadWriteMany, because several pods read the same files; name it by storageClassName"
	}
	notes = append(notes, fmt.Sprintf("the claim of %s needs %s", gibs(k.disk()), mode))
	switch {
	case k.local():
		notes = append(notes, fmt.Sprintf("copy %s into the claim as /%s, readable for all; nothing is downloaded", k.Model.Path, fileName(k.Model.Path)))
	case k.Model.Gated:
		notes = append(notes, fmt.Sprintf("make the secret with the token: kubectl create secret generic %s --from-file=HF_TOKEN=FILE", k.TokenSecret))
	default:
		notes = append(notes, fmt.Sprintf("the secret %s with the key HF_TOKEN is used if it is there: make it where the repository asks you to accept terms first", k.TokenSecret))
	}
	notes = append(notes, k.modelNotes()...)
	return append(notes,
		fmt.Sprintf("requests of %d CPUs and %s of memory are an estimate: set them by what you measure", k.cpus(), gibs(k.memory())),
		"the image runs as root; there is no authentication: keep the Service inside, with a NetworkPolicy and your gateway before it")
}
