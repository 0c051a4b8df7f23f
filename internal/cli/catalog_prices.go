package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/cost"
	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

// priceFilter says which offers are listed.
type priceFilter struct {
	card, seller, class, terms, format string
}

func newCatalogPrices(g *global) *cobra.Command {
	var f priceFilter
	cmd := &cobra.Command{
		Use:   "prices [gpu]",
		Short: "List what sellers ask for accelerators, and what estimate makes of it",
		Long: `prices lists offers: card, US dollars for one card an hour (least, median and most where a source has several), terms, the
seller and of which kind it is, region, cards of an instance, date of the price, what is odd about it, and source. A card is named by
id or as people write it, or by the name of a price list that leaves open which card is meant, like h100-unspecified.

Where a card is named, what estimate makes of its offers comes first, for each kind of seller and terms: a seller counts
once, with its newest prices; the middle is the median of sellers, and a tenth of them is left out at each end. A star
marks the line that estimate answers with where nobody chooses.`,
		Example: "  llmcheck catalog prices H100-SXM\n  llmcheck catalog prices --seller hyperscaler --terms spot\n" +
			"  llmcheck catalog prices --gpu \"RTX 4090\" --format json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: g.completeGPU,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.complete(args); err != nil {
				return usage(err, "llmcheck catalog prices --help lists the flags")
			}
			c, err := g.chosen(cmd)
			if err != nil {
				return err
			}
			list, err := f.apply(c)
			if err != nil {
				return err
			}
			if f.format == "json" {
				return g.app.writeJSON(list)
			}
			return g.app.listPrices(list)
		},
	}
	catalogFlag(cmd)
	f.declare(g, cmd)
	return cmd
}

func (f *priceFilter) declare(g *global, cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.card, "gpu", "", "only offers of this `card`, which may also stand without the flag")
	fl.StringVar(&f.class, "class", "", "only sellers of this `kind`: "+strings.Join(texts(cost.Classes()), ", "))
	fl.StringVar(&f.seller, "seller", "", "only this `seller`, by id or name, or sellers of a kind")
	fl.StringVar(&f.terms, "terms", "", "only offers on these `terms`: "+strings.Join(texts(cost.AllTerms()), ", "))
	fl.StringVar(&f.format, "format", "text", "output `format`: text, json")
	completeWords(cmd, "class", texts(cost.Classes()))
	completeWords(cmd, "terms", texts(cost.AllTerms()))
	completeWords(cmd, "format", []string{"text", "json"})
	_ = cmd.RegisterFlagCompletionFunc("gpu", g.completeGPU)       // the flags stand above
	_ = cmd.RegisterFlagCompletionFunc("seller", g.completeSeller) // the same
}

// texts are words of a type of their own.
func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

func completeWords(cmd *cobra.Command, flag string, list []string) {
	// The only error is a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp))
}

func (f *priceFilter) complete(args []string) error {
	f.class, f.terms = strings.ToLower(f.class), strings.ToLower(f.terms)
	faults := []error{oneOf("format", f.format, []string{"text", "json"})}
	if f.class != "" {
		faults = append(faults, oneOf("class", f.class, texts(cost.Classes())))
	}
	if f.terms != "" {
		faults = append(faults, oneOf("terms", f.terms, texts(cost.AllTerms())))
	}
	if len(args) == 1 {
		if f.card != "" {
			faults = append(faults, fmt.Errorf("the card is named twice: %q and --gpu %q; name it once", args[0], f.card))
		}
		f.card = args[0]
		if strings.TrimSpace(f.card) == "" {
			faults = append(faults, errors.New("the name of the card is empty; leave it out for all cards"))
		}
	}
	if slices.Contains(texts(cost.Classes()), strings.ToLower(f.seller)) {
		if f.class != "" && f.class != strings.ToLower(f.seller) {
			faults = append(faults, fmt.Errorf("--class %s and --seller %s contradict each other", f.class, f.seller))
		}
		f.class, f.seller = strings.ToLower(f.seller), ""
	}
	return errors.Join(faults...)
}

// priceList is what is listed: the cards that were named with what estimate makes of their offers, and the offers.
type priceList struct {
	Cards  []cardPrices `json:"cards"`
	Offers []shownOffer `json:"offers"`
}

// cardPrices are the markets of one card.
type cardPrices struct {
	ID     string        `json:"id"`
	Name   string        `json:"name"`
	Quotes []shownQuote  `json:"quotes"`
	Bought []shownFigure `json:"purchases"` // what it costs to buy
}

// shownQuote is what one kind of seller takes for one card of an instance that is fully used.
type shownQuote struct {
	Answer     bool         `json:"default"` // estimate answers with it where nobody chooses
	Class      cost.Class   `json:"class"`
	Terms      cost.Terms   `json:"terms"`
	USD        report.Range `json:"usd_per_gpu_hour"`
	Offers     int          `json:"offers"`
	Sellers    []string     `json:"sellers"`
	Oldest     string       `json:"oldest"`
	Newest     string       `json:"newest"`
	Incomplete bool         `json:"without_host"`
	Note       string       `json:"note,omitzero"`
	Sources    []string     `json:"sources"`
}

// shownOffer is a price as its source states it.
type shownOffer struct {
	Card     string       `json:"card"`
	USD      report.Range `json:"usd_per_gpu_hour"`
	Prices   int          `json:"prices"` // that the range is of
	Terms    cost.Terms   `json:"terms"`
	Kind     cost.Kind    `json:"kind,omitzero"`
	Class    cost.Class   `json:"class"`
	SellerID string       `json:"seller_id"`
	Seller   string       `json:"seller"`
	Region   string       `json:"region"`
	GPUs     int          `json:"gpus_per_instance,omitzero"`
	Host     cost.Host    `json:"host"`
	Date     string       `json:"date"`
	Source   shownSource  `json:"source"`
}

// shownSource is where a fact was read.
type shownSource struct {
	Title   string `json:"title"`
	URL     string `json:"url,omitzero"`
	Checked string `json:"checked,omitzero"`
}

func sourceOf(s evidence.Source) shownSource { return shownSource{s.Title, s.URL, s.Checked.String()} }

func (f *priceFilter) apply(c *catalogs) (*priceList, error) {
	if err := f.known(c); err != nil {
		return nil, err
	}
	list := &priceList{Cards: []cardPrices{}, Offers: []shownOffer{}}
	var offers []cost.Offer
	var err error
	if f.card == "" {
		offers, err = c.Prices.All()
	} else {
		offers, err = f.named(c, list)
	}
	if err != nil {
		return nil, err
	}
	for i := range offers {
		if f.takes(&offers[i]) {
			list.Offers = append(list.Offers, offerOf(&offers[i]))
		}
	}
	return list, nil
}

// known refuses a seller that is none, so that a slip of the keys does not look like a seller without offers.
func (f *priceFilter) known(c *catalogs) error {
	if f.seller == "" {
		return nil
	}
	all, err := c.Prices.Sellers()
	if err != nil {
		return err
	}
	for _, s := range all {
		if strings.EqualFold(f.seller, s.ID) || strings.EqualFold(f.seller, s.Name) {
			f.seller = s.ID
			return nil
		}
	}
	return usage(fmt.Errorf("no --seller %q in the catalog", f.seller),
		"want "+orList(texts(cost.Classes()))+", or one of the sellers that llmcheck catalog prices lists")
}

func (f *priceFilter) takes(o *cost.Offer) bool {
	return (f.class == "" || string(o.Class) == f.class) && (f.terms == "" || string(o.Terms) == f.terms) && (f.seller == "" || o.SellerID == f.seller)
}

// named adds the cards that a name may mean, and returns their offers.
func (f *priceFilter) named(c *catalogs, list *priceList) ([]cost.Offer, error) {
	ids, err := c.sold(f.card)
	if err != nil {
		return nil, err
	}
	var all []cost.Offer
	for _, id := range ids {
		offers, err := c.Prices.Offers(id)
		if err != nil {
			return nil, err
		}
		for _, o := range offers {
			if !slices.Contains(all, o) { // two forms of a card share the offers that leave the form open
				all = append(all, o)
			}
		}
		r, err := c.GPUs.Record(id)
		if err != nil {
			continue // a group of cards, which estimate asks nothing about
		}
		prices := cardPrices{ID: id, Name: r.Name}
		if prices.Quotes, err = f.quotes(c, id); err != nil {
			return nil, err
		}
		if prices.Bought, err = c.bought(id); err != nil {
			return nil, err
		}
		list.Cards = append(list.Cards, prices)
	}
	return all, nil
}

// sold finds the cards of a name, or the group of cards that price lists call so.
func (c *catalogs) sold(name string) ([]string, error) {
	ids, err := c.GPUs.Named(name)
	if err != nil || len(ids) > 0 {
		return ids, err
	}
	id := strings.ToLower(strings.TrimSpace(name))
	if slices.Contains(c.Prices.IDs(groupRecords), id) {
		return []string{id}, nil
	}
	return nil, usage(fmt.Errorf("no accelerator %q in the catalog", name), "llmcheck catalog gpus lists the known ids")
}

// full is a number of cards that fills instances of any size.
const full = 720_720

// quotes are those of the kinds of seller and terms that were asked for. One seller alone makes no market.
func (f *priceFilter) quotes(c *catalogs, id string) ([]shownQuote, error) {
	out := []shownQuote{}
	book, err := c.Prices.Book(id)
	if err != nil || f.seller != "" {
		return out, err
	}
	head, ok := book.Headline(full)
	for _, q := range book.Rent(full) {
		if f.class != "" && string(q.Class) != f.class || f.terms != "" && string(q.Terms) != f.terms {
			continue
		}
		out = append(out, shownQuote{
			Answer: ok && q.Class == head.Class && q.Terms == head.Terms && q.Incomplete == head.Incomplete,
			Class:  q.Class, Terms: q.Terms, USD: report.Range(q.PerGPUHour), Offers: q.Offers, Sellers: q.Sellers, Oldest: q.Oldest.String(),
			Newest: q.Newest.String(), Incomplete: q.Incomplete, Note: q.Note, Sources: q.Sources,
		})
	}
	return out, nil
}

func (c *catalogs) bought(id string) ([]shownFigure, error) {
	out := []shownFigure{}
	all, err := c.Prices.Bought(id)
	for _, p := range all {
		out = append(out, figureOf("purchase", &p.Figure))
	}
	return out, err
}

func offerOf(o *cost.Offer) shownOffer {
	return shownOffer{
		Card: o.Card, USD: report.Range(o.USD), Prices: o.Rows, Terms: o.Terms, Kind: o.Kind, Class: o.Class, SellerID: o.SellerID, Seller: o.Seller,
		Region: o.Region, GPUs: o.GPUs, Host: o.Host, Date: o.Date.String(), Source: sourceOf(o.Source),
	}
}

func (a *App) listPrices(list *priceList) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for i := range list.Cards {
		list.Cards[i].write(w)
	}
	for i := range list.Offers {
		o := &list.Offers[i]
		fmt.Fprintf(w, "%s\t%s USD/h\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.Card, spread(o.USD), o.Terms, o.Class, printable.Line(o.Seller), o.Region,
			instance(o.GPUs), o.Date, o.odd(), printable.Line(o.Source.Title))
	}
	if len(list.Offers) == 0 {
		a.nothing("no offer is known that this holds for")
	}
	return w.Flush()
}

// nothing tells people that a list is empty because there is nothing to list.
func (a *App) nothing(why string) { fmt.Fprintf(a.Err, "llmcheck: %s\n", why) }

func (p *cardPrices) write(w io.Writer) {
	fmt.Fprintf(w, "%s  %s, one card of an instance that is fully used:\n", p.ID, printable.Line(p.Name))
	if len(p.Quotes) == 0 {
		fmt.Fprintln(w, "  nothing")
	}
	for _, q := range p.Quotes {
		mark := " "
		if q.Answer {
			mark = "*"
		}
		dates := q.Newest
		if q.Oldest != q.Newest {
			dates = q.Oldest + " to " + q.Newest
		}
		fmt.Fprintf(w, "%s %s\t%s\t%s USD/h\t%s of %s\t%s\t%s\n", mark, q.Class, q.Terms, spread(q.USD), plural(q.Offers, "offer"),
			plural(len(q.Sellers), "seller"), dates, printable.Line(q.Note))
	}
	for i := range p.Bought {
		b := &p.Bought[i]
		fmt.Fprintf(w, "  to buy\t%s USD\t%s\t%s\t%s\n", spread(b.Value), b.Of, b.Confidence, printable.Line(b.Name))
	}
	fmt.Fprintln(w)
}

// spread writes a range as 1.5/1.57/1.63, and one number where the three are the same.
func spread(r report.Range) string {
	if r.Low == r.High {
		return rounded(r.Mid)
	}
	return rounded(r.Low) + "/" + rounded(r.Mid) + "/" + rounded(r.High)
}

// rounded has four digits, and all of those before the point.
func rounded(f float64) string {
	if f >= 1000 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.4g", f)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func instance(gpus int) string {
	if gpus == 0 {
		return "any number"
	}
	return plural(gpus, "card")
}

// odd says what one would not take for granted; a dash for nothing.
func (o *shownOffer) odd() string {
	var out []string
	if o.Kind != cost.Listed {
		out = append(out, string(o.Kind))
	}
	switch o.Host {
	case cost.Apart:
		out = append(out, "host billed on top")
	case cost.ListOnly, cost.NotSaid:
		out = append(out, "host not said")
	}
	if o.Prices > 1 {
		out = append(out, fmt.Sprintf("of %d prices", o.Prices))
	}
	if len(out) == 0 {
		return "-"
	}
	return strings.Join(out, ", ")
}
