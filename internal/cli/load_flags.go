package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	costs "github.com/llmcheck/llmcheck/internal/cost/catalog"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/queue"
)

// loadFlags are those of what is asked of a deployment.
type loadFlags struct {
	input, output             int64
	inputSpread, outputSpread float64
	concurrency               float64
	unlimited                 bool
	rate, users, think, burst float64
	prefix                    float64
	drafts                    int64
	accepted                  float64
	ttft, tpot                float64
	simulate                  int64
	seed                      int64
	spare, most               int64
}

func (f *loadFlags) declare(fl *pflag.FlagSet) {
	whole, decimal := wholeOn(fl), decimalOn(fl)
	const deviation = "a standard deviation as a share of the mean, like 0.5, at most 10"
	whole(&f.input, "input-tokens", 1, maxTokens, "`tokens` of a prompt, on average (default: 1024)")
	whole(&f.output, "output-tokens", 1, maxTokens, "`tokens` of an answer, on average (default: 256)")
	decimal(&f.inputSpread, "input-spread", maxSpread, deviation, "standard `deviation` of prompts as a share of their mean (default: all alike)")
	decimal(&f.outputSpread, "output-spread", maxSpread, deviation, "standard `deviation` of answers, the same")
	fl.Var(&crowd{f}, "concurrency", "`requests` of that length at once, which have to find room; max is as many as do")
	decimal(&f.rate, "request-rate", maxRate, "requests a second above 0, at most a million", "`requests` a second, whether or not those before are answered")
	decimal(&f.users, "users", maxUsers, "a number of people above 0, at most a billion", "`people` at once; each has a request under way all the time, or see --think-time")
	fl.Var(&seconds{&f.think, "a time above 0 like 30s, at most a day"}, "think-time", "`time` that each of the users reads before asking again")
	decimal(&f.burst, "burstiness", maxSpread, "a coefficient of variation above 0, like 1, at most 10", "`variation` of the time between requests; 1 is Poisson, more comes in bursts (default: 1)")
	decimal(&f.prefix, "prefix-hit", maxHit, "a share above 0 and below 1, like 0.5", "`share` of each prompt that is in the prefix cache already")
	whole(&f.drafts, "draft-tokens", 1, maxDrafts, "speculative decoding: `tokens` drafted for each next one")
	decimal(&f.accepted, "acceptance", maxHit, "a chance above 0 and below 1, like 0.7", "speculative decoding: `chance` that a drafted token is right")
	f.simulate = unsaid
	whole(&f.simulate, "simulate", 0, maxPlayed, "`requests` to play for percentiles; 0 is none (default: 2000 where a load is given)")
	whole(&f.seed, "seed", 0, 1<<62, "`number` that the simulation starts from (default: 0)")
}

// declareTargets are the limits, and how far a plan is looked for that keeps them.
func (f *loadFlags) declareTargets(fl *pflag.FlagSet) {
	whole := wholeOn(fl)
	fl.Var(&seconds{&f.ttft, "a time above 0 like 0.5, 500ms or 2s, at most a day"}, "ttft", "most `time` to the first token, on average, like 500ms")
	fl.Var(&seconds{&f.tpot, "a time above 0 like 0.05, 50ms or 1s, at most a day"}, "tpot", "most `time` between the tokens of an answer, on average, like 50ms")
	whole(&f.spare, "spare", 0, maxGPUs, "`replicas` beside those that the load needs; 1 is N+1 (default: 0)")
	whole(&f.most, "max-gpus", 1, maxGPUs, "most `cards` in all that a plan may take (default: 4096)")
}

// unsaid is the number of requests to play where nobody said one; 0 is none.
const unsaid = -1

// The most that is believed.
const (
	maxSpread = 10
	maxRate   = 1e6
	maxUsers  = 1e9
	maxHit    = 0.999
	maxDrafts = 64
	maxPlayed = 1_000_000
)

func (f *loadFlags) check() error {
	var faults []error
	if asked := f.loads(); len(asked) > 1 {
		faults = append(faults, fmt.Errorf("%s each say how much is asked; give one of them", strings.Join(asked, " and ")))
	}
	if f.think > 0 && f.users == 0 {
		faults = append(faults, errors.New("--think-time is of users; give --users too"))
	}
	if (f.drafts > 0) != (f.accepted > 0) {
		faults = append(faults, errors.New("--draft-tokens and --acceptance belong together: what is drafted helps as far as it is accepted"))
	}
	if f.think > 0 && f.users/f.think > maxRate {
		faults = append(faults, fmt.Errorf("--users %g who read for --think-time %gs ask more than a million times a second; say a longer time, or leave it out", f.users, f.think))
	}
	return errors.Join(faults...)
}

// idle tells of flags that would change nothing about the answer, so that nobody takes it for one to them. Fixed is a flag
// that leaves nothing to search, "" if there is none.
func (f *loadFlags) idle(fixed string) error {
	var faults []error
	search := f.rate > 0 || f.users > 0
	for _, one := range []struct {
		given bool
		name  string
	}{{f.spare > 0, "--spare"}, {f.most > 0, "--max-gpus"}} {
		switch {
		case one.given && !search:
			faults = append(faults, fmt.Errorf("%s is of the search for a plan that serves a load; give --request-rate or --users", one.name))
		case one.given && fixed != "":
			faults = append(faults, fmt.Errorf("%s is of the search for a plan, and %s leaves nothing to search; leave one out", one.name, fixed))
		}
	}
	if f.burst > 0 && f.rate == 0 && f.think == 0 {
		faults = append(faults, errors.New("--burstiness is of requests that come by themselves; give --request-rate, or --users with --think-time"))
	}
	switch {
	case f.unlimited && f.simulate > 0:
		faults = append(faults, errors.New("--simulate: under unlimited load requests wait without end, so there are no percentiles; give --concurrency with a number, --request-rate or --users"))
	case f.seed > 0 && !f.plays():
		faults = append(faults, errors.New("--seed is of the simulation, and nothing is simulated; give a load, or --simulate"))
	}
	return errors.Join(faults...)
}

// plays reports whether requests are simulated.
func (f *loadFlags) plays() bool {
	if f.simulate != unsaid {
		return f.simulate > 0 && !f.unlimited
	}
	return f.rate > 0 || f.users > 0 || f.concurrency > 1
}

// loads are the flags that say how much is asked.
func (f *loadFlags) loads() []string {
	var asked []string
	for _, one := range []struct {
		given bool
		name  string
	}{{f.concurrency > 0 || f.unlimited, "--concurrency"}, {f.rate > 0, "--request-rate"}, {f.users > 0, "--users"}} {
		if one.given {
			asked = append(asked, one.name)
		}
	}
	return asked
}

func (f *loadFlags) workload() diligence.Workload {
	played := int(f.simulate)
	switch f.simulate {
	case unsaid:
		played = 0
	case 0:
		played = noneAtAll
	}
	return diligence.Workload{
		Input: queue.Length{Mean: float64(f.input), Spread: f.inputSpread}, Output: queue.Length{Mean: float64(f.output), Spread: f.outputSpread},
		Concurrency: f.concurrency, Unlimited: f.unlimited, Rate: f.rate, Users: f.users, Think: f.think, Burst: f.burst,
		PrefixHit: f.prefix, Drafts: int(f.drafts), Accepted: f.accepted, TTFT: f.ttft, TPOT: f.tpot,
		Simulate: played, Seed: uint64(f.seed),
	}
}

// noneAtAll is how a question says that nothing is simulated; 0 leaves that to it.
const noneAtAll = -1

func (f *loadFlags) search() diligence.Search {
	return diligence.Search{Spare: int(f.spare), MaxGPUs: int(f.most)}
}

// crowd is a flag for requests at once: a number, or as many as find room.
type crowd struct{ to *loadFlags }

func (c *crowd) Set(s string) error {
	if strings.EqualFold(strings.TrimSpace(s), "max") {
		c.to.unlimited, c.to.concurrency = true, 0
		return nil
	}
	n := share{&c.to.concurrency, maxTokens, "a number of requests above 0, or max"}
	err := n.Set(s)
	c.to.unlimited = c.to.unlimited && err != nil
	return err
}

func (*crowd) String() string { return "" }
func (*crowd) Type() string   { return "requests" }

// seconds is a flag for a time, which people write as 500ms, 2s or, as the JSON has it, as a bare number of seconds.
type seconds struct {
	to   *float64
	want string
}

func (f *seconds) Set(s string) error {
	s = strings.TrimSpace(s)
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		var d time.Duration
		d, err = time.ParseDuration(s)
		v = d.Seconds()
	}
	if err != nil || !(v >= leastDecimal && v <= maxSeconds) {
		return fmt.Errorf("want %s", f.want)
	}
	*f.to = v
	return nil
}

func (*seconds) String() string { return "" }
func (*seconds) Type() string   { return "seconds" }

// maxSeconds is a day.
const maxSeconds = 86_400

// moneyFlags are those of prices and energy.
type moneyFlags struct {
	price, purchase, electricity, pue, busy float64
	terms, seller, country                  string
	owned                                   bool
}

func (f *moneyFlags) declare(fl *pflag.FlagSet) {
	f.declarePrices(fl)
	decimalOn(fl)(&f.busy, "utilization", 1, "a share above 0 and up to 1, like 0.3", "`share` of the capacity that is used over the whole time (default: what the load takes)")
}

// declarePrices are those without a share of the time: what trains is busy until it is done.
func (f *moneyFlags) declarePrices(fl *pflag.FlagSet) {
	decimal := decimalOn(fl)
	const dollars = "dollars above 0, at most ten million"
	decimal(&f.price, "price", maxUSD, dollars, "what one card costs you an hour, in `USD`, instead of the catalog's prices")
	fl.StringVar(&f.terms, "price-terms", "", "`terms` of the rent: on_demand, spot, reserved_1y or reserved_3y (default: on_demand)")
	fl.StringVar(&f.seller, "seller", "", "`kind` of cloud: neocloud, hyperscaler or marketplace (default: neocloud where there are enough offers)")
	fl.BoolVar(&f.owned, "own", false, "what owning costs instead of renting")
	decimal(&f.purchase, "purchase-price", maxUSD, dollars, "what one card costs to buy with its share of the machine, in `USD`")
	decimal(&f.electricity, "electricity", 100, "dollars a kWh above 0, at most 100", "price of electricity in `USD` a kWh (default: that of the country)")
	decimal(&f.pue, "pue", 10, "a factor from 1 to 10", "power usage effectiveness of the data center, a `factor` like 1.2 (default: usual for the seller)")
	fl.StringVar(&f.country, "country", "", "`country` or region of a cloud whose grid and electricity price count, like DE or Germany (default: the world)")
}

const maxUSD = 1e7

// terms and sellers are the words of the flags.
func priceTerms() []string { return []string{"on_demand", "spot", "reserved_1y", "reserved_3y"} }
func sellers() []string    { return []string{"neocloud", "hyperscaler", "marketplace"} }

func (f *moneyFlags) check() error {
	var faults []error
	if f.terms != "" {
		faults = append(faults, oneOf("price-terms", f.terms, priceTerms()))
	}
	if f.seller != "" {
		faults = append(faults, oneOf("seller", f.seller, sellers()))
	}
	if f.pue > 0 && f.pue < 1 {
		faults = append(faults, fmt.Errorf("--pue is %g: a data center takes at least what its machines do, so it is 1 or more", f.pue))
	}
	if f.owned && (f.price > 0 || f.terms != "" || f.seller != "") {
		faults = append(faults, errors.New("--own is of buying, and --price, --price-terms and --seller are of renting; give one"))
	}
	if f.price > 0 && (f.terms != "" || f.seller != "") {
		faults = append(faults, errors.New("--price is your own price, and --price-terms and --seller choose among those of the catalog; give one"))
	}
	if f.purchase > 0 && !f.owned {
		faults = append(faults, errors.New("--purchase-price is of buying; give --own too"))
	}
	return errors.Join(faults...)
}

// known refuses what only the catalogs can tell to be wrong, before a model is read.
func (f *moneyFlags) known(d diligence.Deps) error {
	if f.country == "" {
		return nil
	}
	_, err := d.Prices.Site(costs.Where{Place: f.country})
	if errors.Is(err, costs.ErrUnknown) {
		return usage(fmt.Errorf("reading --country: %w", err), "a country by its name or two letters, or a region of a cloud like europe-west3")
	}
	return err
}

// ofOneCard tells of prices of one card where cards is not 1: each card would be ranked with the price of another.
func (f *moneyFlags) ofOneCard(cards int) error {
	var faults []error
	for _, one := range []struct {
		given bool
		name  string
	}{{f.price > 0, "--price"}, {f.purchase > 0, "--purchase-price"}} {
		switch {
		case !one.given || cards == 1:
		case cards == 0:
			faults = append(faults, fmt.Errorf("%s is of one card, and several are looked at where none is named; give --gpu", one.name))
		default:
			faults = append(faults, fmt.Errorf("%s is of one card, and --gpu names more; ask for each by itself", one.name))
		}
	}
	return errors.Join(faults...)
}

func (f *moneyFlags) money() diligence.Money {
	return diligence.Money{
		PerGPUHour: f.price, Terms: f.terms, Seller: f.seller, Purchase: f.purchase, Owned: f.owned, Electricity: f.electricity,
		PUE: f.pue, Country: f.country, Busy: f.busy,
	}
}
