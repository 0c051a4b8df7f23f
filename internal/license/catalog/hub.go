package catalog

import (
	_ "embed"
	"strings"
)

// hubTable holds a line for each license identifier that the Hugging Face hub accepts in a card: identifier, full name,
// what it names, and for those that name nothing the reason.
//
//go:embed hub.tsv
var hubTable string

// HubID is a license identifier of the hub.
type HubID struct {
	ID   string
	Name string // as the hub shows it
	Kind HubKind
	Why  string // why no license stands behind it
}

// HubKind says how much an identifier of the hub tells.
type HubKind string

// The kinds of identifiers.
const (
	HubSingle   HubKind = "single"   // one text
	HubEditions HubKind = "editions" // several editions of one text: the identifier does not say which
	HubFamily   HubKind = "family"   // several licenses of one kind
	HubNone     HubKind = "none"     // nothing that we can look up
)

// HubIDs lists the license identifiers of the hub in order.
func HubIDs() []HubID {
	var ids []HubID
	for line := range strings.Lines(hubTable) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		ids = append(ids, HubID{ID: f[0], Name: f[1], Kind: HubKind(f[2]), Why: f[3]})
	}
	return ids
}
