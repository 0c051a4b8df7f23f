package catalog

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/cost"
	"github.com/llmcheck/llmcheck/internal/records"
)

// index holds all records as lines "key TAB value" in order, and is searched as it is. Index makes it from the records,
// which are checked on the way. The keys:
//
//	kind/ID        the record as JSON, a seller without its offers
//	offers/CARD    an offer of a card or group, in columns
//	in/CARD        a group that the card belongs to
//	bought/CARD    a purchase of the card
//	system/CARD    what the card is built into
//	place/NAME     kind and id of a place, or cloud and region
//
//go:embed index.tsv
var index string

// The kinds of records, each in a folder of its name.
const (
	sellers   = "prices"
	groups    = "groups"
	places    = "places"
	clouds    = "regions"
	figures   = "figures"
	purchases = "purchases"
	systems   = "systems"
)

// Kinds lists the folders of records.
func Kinds() []string { return []string{sellers, groups, places, clouds, figures, purchases, systems} }

// Records are the records of a folder tree, by kind and id.
type Records struct {
	Sellers   map[string]*Seller
	Groups    map[string]*Group
	Places    map[string]*Place
	Clouds    map[string]*Cloud
	Figures   map[string]*Figure
	Purchases map[string]*Purchase
	Systems   map[string]*System
}

// Load reads the records of a tree with a folder for each kind, of which some may be missing, and reports every fault of
// every record. A tree without any is a fault.
func Load(fsys fs.FS) (*Records, error) {
	r := &Records{}
	found := false
	faults := []error{
		load(fsys, sellers, checkSeller, &r.Sellers, &found),
		load(fsys, groups, checkGroup, &r.Groups, &found),
		load(fsys, places, checkPlace, &r.Places, &found),
		load(fsys, clouds, checkCloud, &r.Clouds, &found),
		load(fsys, figures, checkFigure, &r.Figures, &found),
		load(fsys, purchases, checkPurchase, &r.Purchases, &found),
		load(fsys, systems, checkSystem, &r.Systems, &found),
	}
	if !found {
		return nil, fmt.Errorf("reading the records of costs: there is none of the folders %s", strings.Join(Kinds(), ", "))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return r, nil
}

func load[T any](fsys fs.FS, kind string, check func(string, *T) error, into *map[string]*T, found *bool) error {
	if _, err := fs.Stat(fsys, kind); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	*found = true
	all, err := records.Load(fsys, kind, check)
	*into = all
	return err
}

// Index writes records as the table that is searched.
func Index(r *Records) (string, error) {
	t := &table{}
	for _, s := range r.Sellers {
		head := *s
		head.Offers = nil
		t.record(sellers, s.ID, head)
		for _, o := range s.Offers {
			t.line("offers/"+o.Card, columns(s.ID, o))
		}
	}
	for _, g := range r.Groups {
		t.record(groups, g.ID, g)
		t.lines("in/", g.Cards, g.ID)
	}
	for _, p := range r.Places {
		t.record(places, p.ID, p)
		t.lines("place/", p.names(), places+"/"+p.ID)
	}
	for _, c := range r.Clouds {
		t.record(clouds, c.ID, c)
		for _, g := range c.Regions {
			t.lines("place/", c.names(g), clouds+"/"+c.ID+"/"+g.ID)
		}
	}
	for _, f := range r.Figures {
		t.record(figures, f.ID, f)
	}
	for _, p := range r.Purchases {
		t.record(purchases, p.ID, p)
		t.lines("bought/", p.Cards, p.ID)
	}
	for _, s := range r.Systems {
		t.record(systems, s.ID, s)
		t.lines("system/", s.Cards, s.ID)
	}
	return t.text()
}

type table struct {
	rows   []string
	faults []error
}

func (t *table) line(key, value string) { t.rows = append(t.rows, key+"\t"+value+"\n") }

func (t *table) lines(prefix string, names []string, value string) {
	for _, n := range names {
		t.line(prefix+n, value)
	}
}

func (t *table) record(kind, id string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		t.faults = append(t.faults, fmt.Errorf("writing %s/%s into the index of costs: %w", kind, id, err))
		return
	}
	t.line(kind+"/"+id, string(text))
}

func (t *table) text() (string, error) {
	slices.Sort(t.rows)
	return strings.Join(slices.Compact(t.rows), ""), errors.Join(t.faults...)
}

const parts = 12 // of an offer

func columns(seller string, o Offer) string {
	r := rangeOf(o.USD)
	return strings.Join([]string{
		seller, o.Region, strconv.Itoa(o.GPUs), string(o.Terms), string(o.Kind), number(r.Low), number(r.Mid), number(r.High),
		strconv.Itoa(max(1, o.Rows)), string(o.Host), o.Date.String(), o.Source,
	}, "\t")
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// uncolumns reads what columns writes.
func uncolumns(card, line string) (seller string, o Offer, err error) {
	c := strings.Split(line, "\t")
	if len(c) != parts {
		return "", o, fmt.Errorf("reading an offer of %s: %d columns: want %d", card, len(c), parts)
	}
	gpus, err1 := strconv.Atoi(c[2])
	low, err2 := strconv.ParseFloat(c[5], 64)
	mid, err3 := strconv.ParseFloat(c[6], 64)
	high, err4 := strconv.ParseFloat(c[7], 64)
	rows, err5 := strconv.Atoi(c[8])
	date, err6 := cost.ParseSnapshot(c[10])
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return "", o, fmt.Errorf("reading an offer of %s: %w", card, err)
	}
	return c[0], Offer{
		Card: card, Region: c[1], GPUs: gpus, Terms: cost.Terms(c[3]), Kind: cost.Kind(c[4]), USD: []float64{low, mid, high},
		Rows: rows, Host: cost.Host(c[9]), Date: date, Source: c[11],
	}, nil
}
