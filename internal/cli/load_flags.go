package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

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
	whole := func(to *int64, name string, least, most int64, usage string) {
		fl.Var(&number{to, least, most}, name, usage)
	}
	decimal := func(to *float64, name string, most float64, want, usage string) {
		fl.Var(&share{to, most, want}, name, usage)
	}
	whole(&f.input, "input-tokens", 1, maxTokens, "`tokens` of a prompt, on average (default: 1024)")
	whole(&f.output, "output-tokens", 0, maxTokens, "`tokens` of an answer, on average (default: 256)")
	decimal(&f.inputSpread, "input-spread", maxSpread, "a standard deviation as a share of the mean, like 0.5", "standard `deviation` of prompts as a share of their mean (default: all alike)")
	decimal(&f.outputSpread, "output-spread", maxSpread, "a standard deviation as a share of the mean, like 0.5", "the same of answers")
	fl.Var(&crowd{f}, "concurrency", "`requests` of that length at once, which have to find room; max is as many as do")
	decimal(&f.rate, "request-rate", maxRate, "requests a second above 0", "`requests` a second")
	decimal(&f.users, "users", maxTokens, "a number of people above 0", "`people` at once; each has a request under way all the time, or see --think-time")
	fl.Var(&seconds{&f.think, "a time like 30s"}, "think-time", "`time` that each of the users reads before asking again")
	decimal(&f.burst, "burstiness", maxSpread, "a coefficient of variation above 0, like 1", "`variation` of the time between requests; 1 is Poisson, more comes in bursts (default: 1)")
	decimal(&f.prefix, "prefix-hit", maxHit, "a share above 0 and below 1, like 0.5", "`share` of each prompt that is in the prefix cache already")
	whole(&f.drafts, "draft-tokens", 1, maxDrafts, "speculative decoding: `tokens` drafted for each next one")
	decimal(&f.accepted, "acceptance", maxHit, "a chance above 0 and below 1, like 0.7", "speculative decoding: `chance` that a drafted token is right")
	fl.Var(&seconds{&f.ttft, "a time like 0.5, 500ms or 2s"}, "ttft", "most `time` to the first token, like 500ms")
	fl.Var(&seconds{&f.tpot, "a time like 0.05, 50ms or 1s"}, "tpot", "most `time` between tokens, like 50ms")
	whole(&f.spare, "spare", 0, maxGPUs, "`replicas` beside those that the load needs; 1 is N+1")
	whole(&f.most, "max-gpus", 1, maxGPUs, "most `cards` in all that a plan may take (default: 512)")
	whole(&f.simulate, "simulate", 0, maxPlayed, "`requests` to play for percentiles; 0 is none (default: 2000 where a load is given)")
	whole(&f.seed, "seed", 0, 1<<62, "`number` that the simulation starts from")
}

// The most that is believed.
const (
	maxSpread = 10
	maxRate   = 1e6
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
	return errors.Join(faults...)
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
	return diligence.Workload{
		Input: queue.Length{Mean: float64(f.input), Spread: f.inputSpread}, Output: queue.Length{Mean: float64(f.output), Spread: f.outputSpread},
		Concurrency: f.concurrency, Unlimited: f.unlimited, Rate: f.rate, Users: f.users, Think: f.think, Burst: f.burst,
		PrefixHit: f.prefix, Drafts: int(f.drafts), Accepted: f.accepted, TTFT: f.ttft, TPOT: f.tpot,
		Simulate: int(f.simulate), Seed: uint64(f.seed),
	}
}

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
	if err != nil || !(v > 0 && v <= maxSeconds) {
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
	decimal := func(to *float64, name string, most float64, want, usage string) {
		fl.Var(&share{to, most, want}, name, usage)
	}
	decimal(&f.price, "price", maxUSD, "dollars above 0", "what one card costs you an hour, in `USD`, instead of the catalog's prices")
	fl.StringVar(&f.terms, "price-terms", "", "`terms` of the rent: on_demand, spot, reserved_1y or reserved_3y (default: on_demand)")
	fl.StringVar(&f.seller, "seller", "", "`kind` of cloud: neocloud, hyperscaler or marketplace (default: neocloud where there are enough offers)")
	fl.BoolVar(&f.owned, "own", false, "what buying costs instead of renting")
	decimal(&f.purchase, "purchase-price", maxUSD, "dollars above 0", "what one card costs to buy with its share of the machine, in `USD`")
	decimal(&f.electricity, "electricity", 100, "dollars a kWh above 0", "price of electricity in `USD` a kWh")
	decimal(&f.pue, "pue", 10, "a factor from 1 on", "power usage effectiveness of the data center, like `1.2`")
	fl.StringVar(&f.country, "country", "", "`country` whose grid and electricity price count, like DE or Germany")
	decimal(&f.busy, "utilization", 1, "a share above 0 and up to 1, like 0.3", "`share` of the capacity that is used over the whole time")
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
	if f.price > 0 && (f.terms != "" || f.seller != "") {
		faults = append(faults, errors.New("--price is your own price, and --price-terms and --seller choose among those of the catalog; give one"))
	}
	if f.purchase > 0 && !f.owned {
		faults = append(faults, errors.New("--purchase-price is of buying; give --own too"))
	}
	return errors.Join(faults...)
}

func (f *moneyFlags) money() diligence.Money {
	return diligence.Money{
		PerGPUHour: f.price, Terms: f.terms, Seller: f.seller, Purchase: f.purchase, Owned: f.owned, Electricity: f.electricity,
		PUE: f.pue, Country: f.country, Busy: f.busy,
	}
}
