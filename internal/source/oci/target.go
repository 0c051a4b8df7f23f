package oci

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"oras.land/oras-go/v2/registry"

	"github.com/llmcheck/llmcheck/internal/model"
)

// target is where a reference points.
type target struct {
	registry   string // host or host:port, as it is asked
	repository string
	reference  string // tag, or sha256:digest
}

const (
	ollamaRegistry = "registry.ollama.ai"
	// ollamaSite is the other name of the same registry: newer stores on disk use it
	// (ollama/ollama manifest/paths.go).
	ollamaSite = "ollama.com"
)

// repositoryForm is that of the distribution specification, widened by upper case: a reference to the Hugging Face hub
// through Ollama keeps the case of the hub.
var repositoryForm = regexp.MustCompile(
	`^[A-Za-z0-9]+(?:(?:\.|_|__|-+)[A-Za-z0-9]+)*(?:/[A-Za-z0-9]+(?:(?:\.|_|__|-+)[A-Za-z0-9]+)*)*$`)

func parseTarget(ref model.Ref) (target, error) {
	var t target
	var err error
	switch ref.Scheme {
	case model.SchemeOllama:
		t, err = parseOllama(ref.Name)
	case model.SchemeOCI:
		t, err = parseOCI(ref.Name)
	default:
		return target{}, fmt.Errorf("%q references are not kept in a registry", ref.Scheme)
	}
	if err != nil {
		return target{}, err
	}
	t.reference = ref.Revision
	if t.reference == "" {
		t.reference = "latest"
	}
	return t, t.validate()
}

// parseOllama reads name, namespace/name and host/namespace/name (ollama/ollama types/model/name.go).
func parseOllama(name string) (target, error) {
	parts := strings.Split(name, "/")
	switch len(parts) {
	case 1:
		return target{registry: ollamaRegistry, repository: "library/" + name}, nil
	case 2:
		if strings.ContainsAny(parts[0], ".:") {
			return target{}, fmt.Errorf("%q names a host but no namespace; write ollama:host/namespace/name:tag", name)
		}
		return target{registry: ollamaRegistry, repository: name}, nil
	case 3:
		if parts[0] == ollamaSite {
			parts[0] = ollamaRegistry
		}
		return target{registry: parts[0], repository: parts[1] + "/" + parts[2]}, nil
	}
	return target{}, fmt.Errorf("%q is no model of Ollama; write ollama:host/namespace/name:tag", name)
}

func parseOCI(name string) (target, error) {
	host, repository, ok := strings.Cut(name, "/")
	if !ok {
		return target{}, fmt.Errorf("%q names no registry; write oci:registry/repository:tag", name)
	}
	t := target{registry: registry.Reference{Registry: host}.Host(), repository: repository}
	if host == "docker.io" && !strings.Contains(repository, "/") {
		t.repository = "library/" + repository
	}
	return t, nil
}

func (t target) validate() error {
	ref := registry.Reference{Registry: t.registry, Repository: t.repository, Reference: t.reference}
	if err := ref.ValidateRegistry(); err != nil {
		return fmt.Errorf("%q is not the host of a registry", t.registry)
	}
	if len(t.repository) > 255 || !repositoryForm.MatchString(t.repository) {
		return fmt.Errorf("%q is not the name of a repository in a registry", t.repository)
	}
	if strings.HasPrefix(t.reference, "sha256:") {
		_, err := parseDigest(t.reference)
		return err
	}
	if err := ref.ValidateReferenceAsTag(); err != nil {
		return fmt.Errorf("%q is neither a tag nor a digest", t.reference)
	}
	return nil
}

// loopback reports whether a host, with or without a port, is this machine. Names other than localhost are not
// resolved.
func loopback(host string) bool {
	if host == "localhost" || strings.HasPrefix(host, "localhost:") {
		return true
	}
	if ap, err := netip.ParseAddrPort(host); err == nil {
		return ap.Addr().IsLoopback()
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}
