package catalog

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/records"
	"github.com/llmcheck/llmcheck/internal/spelling"
	"github.com/llmcheck/llmcheck/internal/train"
)

//go:embed fabrics/*.yaml
var fabrics embed.FS

// fabrics.tsv says which network is the usual one of a card and which bears a further name. It says nothing that the
// records do not say, and spares decoding all of them; a test holds both together and writes it anew when it is run with
// -update.
//
//go:embed fabrics.tsv
var fabricIndex string

// ErrUnknownFabric is wrapped by the error for a name of no network that is known.
var ErrUnknownFabric = errors.New("no such network")

// fabricRecord is how machines of one kind are wired, as a file has it. The link inside of a machine is that of the card,
// unless the record says how many it joins.
type fabricRecord struct {
	ID         string          `yaml:"id"`
	Name       string          `yaml:"name"`
	Aliases    []string        `yaml:"aliases,omitempty"`
	Usual      []string        `yaml:"usual,omitempty"`  // the cards that this one is assumed for where none is named
	Node       int             `yaml:"node,omitempty"`   // devices of a machine; those of the card if absent
	Domain     int             `yaml:"domain,omitempty"` // devices that the fast link joins; those of the card if absent
	PerDevice  float64         `yaml:"gbit_per_device,omitempty"`
	PerMachine float64         `yaml:"gbit_per_machine,omitempty"`
	Kind       string          `yaml:"kind,omitempty"`
	LatencyUs  float64         `yaml:"latency_us,omitempty"` // of a message of a collective between machines, an estimate by the kind
	Note       string          `yaml:"note,omitempty"`
	Source     evidence.Source `yaml:"source"`
	Unseen     bool            `yaml:"unseen,omitempty"` // the source was not at hand when this was written: it is where the figure is to be found
	Checked    evidence.Date   `yaml:"checked"`          // the day somebody last went through the record
}

func checkFabric(name string, r *fabricRecord) error {
	var faults []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	networked := r.PerDevice > 0 || r.PerMachine > 0
	want(r.ID == name, "id %q belongs into the file %s.yaml", r.ID, r.ID)
	want(r.Name != "", "name is missing")
	want(r.Source.Title != "" && strings.HasPrefix(r.Source.URL, "https://"), "source: want a title and a url")
	want(!r.Checked.IsZero(), "checked is missing")
	want(r.Node >= 0 && r.Domain >= 0 && r.Node <= 1024 && r.Domain <= 100_000, "node and domain: want numbers of devices")
	want(r.Domain == 0 || r.Domain >= r.Node, "domain %d is less than the %d devices of a machine", r.Domain, r.Node)
	want(r.PerDevice == 0 || r.PerMachine == 0, "gbit_per_device and gbit_per_machine: give one of them")
	for _, n := range []float64{r.PerDevice, r.PerMachine, r.LatencyUs} {
		want(n >= 0 && n < 1e6 && !math.IsNaN(n), "a number is %v", n)
	}
	kind, latency := r.Kind != "", r.LatencyUs > 0
	want(kind == networked && latency == networked, "kind and latency_us go with a network, and a network with them")
	return errors.Join(faults...)
}

// Fabrics lists the networks that are known, in the order of their ids, without a card in them: of those whose machines
// are described by the card, Node and Domain are 0.
func Fabrics() ([]train.Fabric, error) {
	all, err := fabricRecords()
	if err != nil {
		return nil, err
	}
	out := make([]train.Fabric, len(all))
	for i, r := range all {
		out[i] = r.of(&hardware.Accelerator{})
	}
	return out, nil
}

func fabricRecords() ([]*fabricRecord, error) {
	all, err := records.Load(fabrics, "fabrics", checkFabric)
	if err != nil {
		return nil, err
	}
	out := make([]*fabricRecord, 0, len(all))
	for _, r := range all {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *fabricRecord) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// Fabric is the network of that name around machines of a card. No name is the usual one of the card, and Why says so.
func Fabric(card *hardware.Accelerator, id string) (train.Fabric, error) {
	if card == nil {
		return train.Fabric{}, fmt.Errorf("looking up the network of no card: %w", ErrUnknownFabric)
	}
	if id == "" {
		return usual(card)
	}
	name := strings.ToLower(strings.TrimSpace(id))
	r, err := oneFabric(cmp.Or(indexed("name", name), name))
	if err == nil {
		return r.fitting(card)
	}
	all, err := fabricRecords()
	if err != nil {
		return train.Fabric{}, err
	}
	return train.Fabric{}, fmt.Errorf("looking up network %q: %w (%s)", id, ErrUnknownFabric, nearFabrics(all, name))
}

func oneFabric(id string) (*fabricRecord, error) {
	return records.One(fabrics, "fabrics/"+id+".yaml", id, checkFabric)
}

// indexed finds the id that the index gives for a word of a kind; "" if none.
func indexed(kind, word string) string {
	start := kind + "\t" + word + "\t"
	for line := range strings.Lines(fabricIndex) {
		if id, ok := strings.CutPrefix(line, start); ok {
			return strings.TrimSuffix(id, "\n")
		}
	}
	return ""
}

// fitting refuses a network of machines that the card is not sold in. What joins machines of any size fits all.
func (r *fabricRecord) fitting(card *hardware.Accelerator) (train.Fabric, error) {
	f := r.of(card)
	if card.Unified && card.MaxPerNode == 1 && f.Domain > 1 {
		return f, fmt.Errorf("joining %s by network %s: its machines have several devices, and this one stands alone: %w", card.ID, r.ID,
			ErrUnknownFabric)
	}
	f.Why = "as asked for"
	return f, nil
}

// usual is the network that a card mostly has.
func usual(card *hardware.Accelerator) (train.Fabric, error) {
	id, why := indexed("usual", card.ID), "the usual one of "+cmp.Or(card.Name, card.ID)
	switch {
	case id != "":
	case card.Unified && card.MaxPerNode <= 1, strings.HasSuffix(card.ID, "-laptop"):
		id, why = "none", "it stands alone"
	case card.Vendor == "google" || card.Vendor == "aws":
		id, why = "tcp-100g", "what joins pods of these devices is not known; this is the least that machines for training have"
	default:
		id, why = "workstation", "as cards for one machine are joined, where somebody joins them"
	}
	r, err := oneFabric(id)
	if err != nil {
		return train.Fabric{}, fmt.Errorf("looking up the usual network of %s: %w", card.ID, err)
	}
	f := r.of(card)
	f.Why = why + "; no network was named"
	return f, nil
}

// of fills a record with what the card says of the inside of its machines.
func (r *fabricRecord) of(card *hardware.Accelerator) train.Fabric {
	f := train.Fabric{
		ID: r.ID, Name: r.Name, Node: cmp.Or(r.Node, card.MaxPerNode), Latency: r.LatencyUs * 1e-6, Kind: r.Kind, Source: r.Source.Title,
	}
	const gbit = 1e9 / 8
	f.Net = gbit * (r.PerDevice + r.PerMachine/float64(max(1, f.Node)))
	f.Link, f.DomainB = inside(card)
	f.Domain = max(r.Domain, f.Node)
	if r.Domain == 0 && card.Joined > 0 {
		f.Domain = card.Joined
	}
	return f
}

// inside is the link between the devices of one machine. Bridges join pairs, so that all of a machine are joined by PCIe.
func inside(card *hardware.Accelerator) (link string, bytes float64) {
	if card.LinkGBs > 0 && !strings.HasSuffix(card.Link, "bridge") && !strings.Contains(card.Link, "c2c") {
		return card.Link, card.LinkGBs * 1e9
	}
	if card.PCIeGen == 0 || card.PCIeLanes == 0 {
		return card.Link, 0
	}
	const lane3 = 8e9 * 128 / 130 / 8 // bytes a second of a lane of the third generation
	return fmt.Sprint("pcie", card.PCIeGen), lane3 * float64(card.PCIeLanes) * math.Pow(2, float64(card.PCIeGen-3))
}

// nearFabrics names those that are spelled alike, or all.
func nearFabrics(all []*fabricRecord, name string) string {
	type scored struct {
		id  string
		far int
	}
	var near []scored
	for _, r := range all {
		for _, known := range append([]string{r.ID}, r.Aliases...) {
			far := spelling.Slips(known, name)
			if strings.Contains(known, name) || strings.Contains(name, known) {
				far = 1
			}
			if far <= max(2, len(name)/3) {
				near = append(near, scored{r.ID, far})
			}
		}
	}
	slices.SortStableFunc(near, func(a, b scored) int { return cmp.Compare(a.far, b.far) })
	var ids []string
	for _, n := range near {
		if !slices.Contains(ids, n.id) {
			ids = append(ids, n.id)
		}
	}
	const few = 5
	if len(ids) > 0 {
		return "nearest: " + strings.Join(ids[:min(few, len(ids))], ", ")
	}
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	return "known are " + strings.Join(ids, ", ")
}
