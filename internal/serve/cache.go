package serve

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// keep is what the layers of one sort keep of the tokens of a request, on one rank.
type keep struct {
	layers   int64 // of the stage
	all      int64 // of the model
	perToken int64 // bytes of one entry of one layer; 0 for a state
	ratio    int64 // tokens of one entry
	window   int64 // tokens that are kept; 0 is all
	chunked  bool
	state    int64 // bytes, whatever the length
}

// grows reports whether the layer keeps more with every token.
func (k *keep) grows() bool { return k.perToken > 0 && k.window == 0 }

// sort puts layers that page alike beside each other.
func (k *keep) sameAs(o *keep) bool {
	return k.perToken == o.perToken && k.window == o.window && k.chunked == o.chunked && k.state == o.state && k.ratio == o.ratio
}

// number is how many bytes some elements of the cache take.
type number struct{ times, over int64 }

func (n number) bytes(elements int64) int64 { return (elements*n.times + n.over - 1) / n.over }

// cacheNumber is the size of a number format of the cache; ok is false for one that is not known.
func cacheNumber(name string) (n number, ok bool) {
	switch name {
	case "fp16", "f16", "bf16", "float16", "bfloat16", "half":
		return number{2, 1}, true
	case "fp32", "f32", "float32":
		return number{4, 1}, true
	case "fp8", "fp8_e4m3", "fp8_e5m2", "fp8_inc", "int8", "e4m3", "e5m2":
		return number{1, 1}, true
	case "nvfp4":
		return number{9, 16}, true // 4 bits and a scale of 8 bits for 16
	case "q8_0":
		return number{34, 32}, true
	case "q4_0":
		return number{18, 32}, true
	}
	return number{}, false
}

// cacheName is the usual one of several names for a number format of the cache.
func cacheName(name string) string {
	switch name {
	case "f16", "float16", "half":
		return "fp16"
	case "bfloat16":
		return "bf16"
	case "f32", "float32":
		return "fp32"
	case "e4m3", "e5m2":
		return "fp8_" + name
	}
	return name
}

// KnownCache reports whether any engine keeps its cache in a number format of that name.
func KnownCache(name string) bool {
	if _, ok := cacheNumber(cacheName(name)); ok {
		return true
	}
	_, err := llamaKV(name)
	return err == nil
}

// keeping is how an engine lays out one number of the cache.
type keeping struct {
	number     number
	fp8        bool
	ranks      int64
	mlaPadding int64
	sparseFP8  int64
	stateBytes int64
	block      int64
}

// of is what a layer with this mixer keeps: attention, and beside it a window or a state.
func (k *keeping) of(m *arch.Mixer) (list [3]keep, n int) {
	add := func(one keep) {
		list[n] = one
		n++
	}
	switch m.Kind {
	case arch.Full, arch.Cross:
		add(keep{perToken: k.heads(m) + k.index(m), ratio: 1})
	case arch.Sliding:
		add(keep{perToken: k.heads(m), ratio: 1, window: m.Window})
	case arch.Chunked:
		add(keep{perToken: k.heads(m), ratio: 1, window: m.Window, chunked: true})
	case arch.Latent:
		add(keep{perToken: k.latent(m), ratio: 1})
	case arch.Compressed:
		add(keep{perToken: k.latent(m), ratio: max(1, m.Ratio)})
		if m.Window > 0 {
			add(keep{perToken: k.entry(m), ratio: 1, window: m.Window})
		}
		if held := m.Held(); held > 0 { // the compressor keeps what it read in a cache of its own, in 32 bits
			add(keep{perToken: 4 * ceil(m.State, held), ratio: 1, window: held})
		}
		return list, n
	}
	if state := k.state(m); state > 0 && n < len(list) {
		add(keep{state: state})
	}
	return list, n
}

// heads are the keys and values of one token on one rank. A head is on several ranks where there are more ranks.
func (k *keeping) heads(m *arch.Mixer) int64 {
	return k.number.bytes(ceil(m.KVHeads, k.ranks) * (m.KeyWidth + m.ValueWidth))
}

// entry is one vector of MLA, or keys and values of heads where the layer has no latent.
func (k *keeping) entry(m *arch.Mixer) int64 {
	wide := m.Latent + m.Rope
	switch {
	case wide == 0:
		return k.heads(m)
	case k.fp8 && (m.Index > 0 || m.Kind == arch.Compressed): // the rotary part stays in 16 bits, and scales come beside it
		return max(k.sparseFP8, k.number.bytes(wide))
	case m.Kind == arch.Compressed:
		return k.number.bytes(wide)
	case k.mlaPadding == 0 && m.Heads > 0 && m.KeyWidth > 0:
		return k.number.bytes(ceil(m.Heads, k.ranks) * (m.KeyWidth + m.ValueWidth))
	case k.mlaPadding > 1:
		wide = ceil(wide, k.mlaPadding) * k.mlaPadding
	}
	return k.number.bytes(wide)
}

// latent is the vector of MLA with the key of the indexer.
func (k *keeping) latent(m *arch.Mixer) int64 { return k.entry(m) + k.index(m) }

// index is the key of the indexer, which every rank keeps. That of a latent vector is in 8 bits with a scale for 128;
// that beside whole keys and values is in the format of the cache.
func (k *keeping) index(m *arch.Mixer) int64 {
	switch {
	case m.Index == 0:
		return 0
	case m.Kind == arch.Latent || m.Kind == arch.Compressed:
		return m.Index + 4*ceil(m.Index, 128)
	}
	return k.number.bytes(m.Index)
}

// state is what a recurrent layer keeps, in 16 bits for convolutions.
func (k *keeping) state(m *arch.Mixer) int64 {
	whole := m.ConvGroups
	if m.KVHeads > 0 && m.KVHeads%k.ranks == 0 { // the groups divide as well
		whole = 0
	}
	conv := ceil(m.Conv-whole, k.ranks) + whole
	return 2*conv + k.stateBytes*part(m.State, m.StateHeads, k.ranks)
}

// keeps lists what the blocks of a stage keep, one entry a sort, and counts the layers of the stage and of the model.
func (p *Prepared) keeps(k *keeping, from, to int) []keep {
	list := make([]keep, 0, 2*len(p.mixers))
	var stage, all [2]int64
	for n := range p.mixers {
		stage[0], all[0] = 0, 0
		for i, of := range p.mixerOf {
			if of != n {
				continue
			}
			all[0]++
			if i >= from && i < to {
				stage[0]++
			}
		}
		ks, count := k.of(&p.mixers[n])
		for _, one := range ks[:count] {
			one.layers, one.all = stage[0], all[0]
			list = merge(list, one)
		}
	}
	return list
}

func merge(list []keep, one keep) []keep {
	for i := range list {
		if list[i].sameAs(&one) {
			list[i].layers += one.layers
			list[i].all += one.all
			return list
		}
	}
	return append(list, one)
}

// paging is how a pool falls into units, and how many units a request takes.
type paging struct {
	unit   int64 // bytes of one block in all layers that share its table
	block  int64 // tokens of a block
	groups int64 // block tables
	needs  []need
	batch  int64 // tokens of one forward pass, which a window has to hold beside itself
	keeps  []keep
	mixed  bool
	ratio  float64 // window tokens for one full token of the pools of SGLang
	states float64 // share of the state pool
}

// need is what one sort of layers takes of the pool: times units for every block of tokens.
type need struct {
	times int64
	block int64
	keep  keep
	pages int64 // of a state
	spare int64 // blocks beside a window
}

// blocks is how many a request of n tokens takes.
func (l *paging) blocks(n int64) int64 {
	var sum int64
	for i := range l.needs {
		sum += l.needs[i].blocks(n, l.batch)
	}
	return sum
}

func (d *need) blocks(n, batch int64) int64 {
	k := &d.keep
	switch {
	case k.perToken == 0:
		return d.times * d.pages
	case k.window == 0:
		return d.times * ceil(ceil(n, k.ratio), d.block)
	case k.chunked:
		return d.times * ceil(min(k.window+batch, n), d.block)
	}
	return d.times * (ceil(min(k.window-1+batch, n), d.block) + d.spare)
}

// pagingOf arranges what layers keep as the engine does.
func pagingOf(policy string, keeps []keep, k *keeping, e era, batch int64) paging {
	if slices.ContainsFunc(keeps, func(k keep) bool { return k.ratio > 1 }) {
		return layered(keeps, k.block, batch) // the layout of compressed caches is not published: what they hold counts
	}
	switch policy {
	case "groups":
		return grouped(keeps, k, e, batch)
	case "all":
		return uniform(keeps, k, e, batch)
	case "pools":
		if e.windowRatio() > 0 {
			return pooled(keeps, k, e, batch)
		}
		return layered(keeps, k.block, 0)
	}
	return layered(keeps, k.block, 0)
}

// layered keeps for each layer what it needs and no more; the unit is a byte.
func layered(keeps []keep, block, batch int64) paging {
	l := paging{keeps: keeps, unit: 1, block: block, groups: 1, batch: batch}
	for _, k := range keeps {
		d := need{times: k.layers * k.perToken * block, block: block, keep: k, pages: 1}
		if k.perToken == 0 {
			d.times = k.layers * k.state
		}
		l.needs = append(l.needs, d)
		l.mixed = l.mixed || !k.grows()
	}
	return l
}

// uniform keeps every attention layer whole, one table for all.
func uniform(keeps []keep, k *keeping, e era, batch int64) paging {
	whole := make([]keep, 0, len(keeps))
	for _, one := range keeps {
		one.window, one.chunked = 0, false
		whole = merge(whole, one)
	}
	return grouped(whole, k, e, batch)
}

// grouped follows vLLM's kv_cache_utils.py. One sort of layers shares one table. Layers of several sorts are cut into
// groups of equally many layers, each with its own table, and a block costs one page in each layer of a group.
func grouped(keeps []keep, k *keeping, e era, batch int64) paging {
	l := paging{keeps: keeps, block: k.block, groups: 1, batch: batch}
	if oneSort(keeps) {
		for _, one := range keeps {
			l.unit += one.layers * (one.perToken*k.block + one.state)
		}
		if len(keeps) > 0 {
			l.needs = []need{{times: 1, block: k.block, keep: widest(keeps), pages: 1, spare: 1}}
		}
		return l
	}
	l.mixed = true
	l.block = max(k.block, stateBlock(keeps, k.block))
	var page int64
	least, most := int64(1<<62), int64(0)
	for _, one := range keeps {
		page = max(page, one.perToken*l.block, one.state)
		least, most = min(least, one.all), max(most, one.all)
	}
	size := least
	if float64(most) < e.groupPadding()*float64(least) {
		size = most
	}
	var deep int64
	l.groups = 0
	for _, one := range keeps {
		d := need{times: ceil(one.all, size), block: l.block, keep: one, pages: e.statePages(), spare: 1}
		if own := one.perToken * l.block; own > 0 && page%own == 0 {
			d.block *= page / own // smaller pages hold more tokens, so that all pages are equal
		}
		deep = max(deep, ceil(one.layers, d.times))
		l.groups += d.times
		l.needs = append(l.needs, d)
	}
	l.unit = deep * page
	return l
}

// oneSort reports whether one table serves all layers: all grow, or all are alike.
func oneSort(keeps []keep) bool {
	if len(keeps) < 2 {
		return true
	}
	return !slices.ContainsFunc(keeps, func(k keep) bool { return !k.grows() || k.ratio != keeps[0].ratio })
}

func widest(keeps []keep) keep {
	return slices.MaxFunc(keeps, func(a, b keep) int { return cmp.Compare(a.perToken, b.perToken) })
}

// stateBlock is the block of attention raised until its page holds a state, in steps of 16 tokens; 0 without a state.
func stateBlock(keeps []keep, block int64) int64 {
	var state, perToken int64
	for _, k := range keeps {
		state = max(state, k.state)
		if k.perToken > 0 && (perToken == 0 || k.perToken > perToken) {
			perToken = k.perToken
		}
	}
	if state == 0 || perToken == 0 {
		return 0
	}
	return block * ceil(state, block*perToken)
}

// pooled is SGLang: a pool of full tokens, one of windowed tokens in a fixed ratio, and one of states in a fixed share.
func pooled(keeps []keep, k *keeping, e era, batch int64) paging {
	l := paging{keeps: keeps, block: k.block, groups: 1, batch: batch}
	var full, windowed, state int64
	for _, one := range keeps {
		switch {
		case one.perToken == 0:
			state += one.layers * one.state
		case one.window > 0:
			windowed += one.layers * one.perToken
		default:
			full += one.layers * ceil(one.perToken, one.ratio)
		}
		l.mixed = l.mixed || !one.grows()
		l.needs = append(l.needs, need{times: 1, block: 1, keep: one, pages: 1})
	}
	switch {
	case full == 0:
		l.unit = windowed
	case windowed > 0:
		l.ratio = e.windowRatio()
		l.unit = full + int64(l.ratio*float64(windowed))
	default:
		l.unit = full
	}
	if state > 0 {
		l.states = e.stateRatio() / (1 + e.stateRatio())
	}
	return l
}

// request is what a request of n tokens takes of the pool, in bytes.
func (l *paging) request(n int64) int64 {
	if l.ratio == 0 && l.states == 0 {
		return times(l.blocks(n), l.unit)
	}
	return l.pooledRequest(n)
}

// times is a product that stops at the largest number.
func times(a, b int64) int64 {
	high, low := bits.Mul64(uint64(a), uint64(b))
	if high != 0 || low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(low)
}

// pooledRequest is the share of all pools that a request blocks: of the one that it exhausts first.
func (l *paging) pooledRequest(n int64) int64 {
	var tokens, state int64
	for i := range l.needs {
		k := &l.needs[i].keep
		switch {
		case k.perToken == 0:
			state += k.layers * k.state
		case k.window > 0 && l.ratio > 0:
			tokens = max(tokens, int64(float64(min(n, k.window+l.batch))/l.ratio))
		default:
			tokens = max(tokens, n)
		}
	}
	bytes := float64(tokens) * float64(l.unit) / (1 - l.states)
	if l.states > 0 {
		bytes = max(bytes, float64(state)/l.states)
	}
	return int64(min(bytes, mostBytes)) + 1
}

// count is how many blocks a pool has.
func (l *paging) count(pool int64) int64 {
	if l.unit <= 0 || pool <= 0 {
		return 0
	}
	return int64(float64(pool)*(1-l.states)) / l.unit
}

// longest is the longest request that a pool holds, at most n tokens.
func (l *paging) longest(pool, n int64) int64 {
	low, high := int64(0), n
	for low < high {
		mid := low + (high-low+1)/2
		if l.request(mid) <= pool {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}
