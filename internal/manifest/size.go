package manifest

import "fmt"

const gib = 1 << 30

// What a node has to give besides its GPUs. Weights pass through the page cache while they load, which counts as memory of
// the container and is given back.
const (
	memoryPerGPU = 16 * gib // processes of one rank with their libraries, pinned buffers, compiled graphs
	cpusPerGPU   = 4        // a process for each rank, and its share of tokenizers and of the API server
	shmAlone     = 2 * gib
	shmTogether  = 16 * gib // ranks of one node exchange through it
)

// gibs is a size as Kubernetes writes it, rounded up.
func gibs(n int64) string { return fmt.Sprintf("%dGi", (n+gib-1)/gib) }

func (p *Plan) shm() int64 {
	if p.gpus() > 1 {
		return shmTogether
	}
	return shmAlone
}

// memory is what a pod asks for: what stays on the host and the shared memory with it.
func (p *Plan) memory() int64 {
	return int64(max(p.gpus(), 1))*memoryPerGPU + p.HostBytes + p.shm()
}

func (p *Plan) cpus() int { return max(p.gpus(), 1) * cpusPerGPU }

// disk is what the cache needs: the files, and as much again where they are replaced by a newer revision is not kept.
func (p *Plan) disk() int64 {
	if p.Model.Bytes == 0 {
		return 500 * gib
	}
	const step = 10 * gib
	return (p.Model.Bytes+p.Model.Bytes/4)/step*step + 2*step
}

// startSeconds is how long a start may take: half an hour, and the download at 100 MB/s.
func (p *Plan) startSeconds() int64 {
	return 1800 + p.Model.Bytes/(100<<20)
}

// resource is the GPU as its device plugin calls it.
func (p *Plan) resource() string {
	switch p.GPU.Vendor {
	case "nvidia":
		return "nvidia.com/gpu"
	case "amd":
		return "amd.com/gpu"
	}
	return ""
}

// local is the folder or file of a model that is not on the hub, as a container sees it.
func (p *Plan) local() bool { return p.Model.Hub == "" }

// imageNotes say what to check about the image.
func (p *Plan) imageNotes(image string) string {
	return fmt.Sprintf("check the image %s against your registry and pin its digest", image)
}
