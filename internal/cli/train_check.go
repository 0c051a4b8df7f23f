package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/train"
)

// check refuses flags that contradict each other, and those that would change nothing, before anything is read.
func (f *trainFlags) check(models int) error {
	return errors.Join(
		f.checkModel(models), f.checkCards(), f.checkDivision(), f.checkRun(f.method(models > 0)), f.checkRecipe(),
		f.checkMethod(f.method(models > 0), f.job.Method == ""), f.money.check(), f.ofOneCard(),
	)
}

// given is a flag that may have been given.
type given struct {
	said bool
	name string
}

// first is the first of flags that was given, "" if none was.
func first(flags ...given) string {
	for _, one := range flags {
		if one.said {
			return one.name
		}
	}
	return ""
}

func (f *trainFlags) checkModel(models int) error {
	byHand := first(given{f.params > 0, "--params"}, given{f.active > 0, "--active-params"}, given{f.layers > 0, "--layers"},
		given{f.hidden > 0, "--hidden"}, given{f.vocab > 0, "--vocab"})
	switch {
	case models > 0 && byHand != "":
		return fmt.Errorf("%s describes a model that does not exist yet, and one that does is named; give one of them", byHand)
	case models > 0:
		return nil
	case f.params == 0 && f.layers == 0 && f.hidden == 0:
		return errors.New("no model is named and none described; name one like org/name or ./config.json, or give --params like 8B, or --layers with --hidden")
	case f.params > 0 && (f.layers > 0 || f.hidden > 0):
		return errors.New("--params chooses layers and widths itself, and --layers and --hidden give them by hand; give one of the two")
	case (f.layers > 0) != (f.hidden > 0):
		return errors.New("--layers and --hidden belong together: a shape by hand has both")
	case f.active > 0 && f.params == 0:
		return errors.New("--active-params are of --params; give --params too")
	case f.vocab > 0 && f.params > 0:
		return errors.New("--params chooses the vocabulary with the rest of the shape; give --layers and --hidden with --vocab, or leave it out")
	case f.active > f.params:
		return fmt.Errorf("--active-params %s are more than all of --params %s", people(f.active), people(f.params))
	}
	return nil
}

func (f *trainFlags) checkCards() error {
	var faults []error
	for _, one := range []struct {
		name  string
		cards []string
	}{{"--gpu", f.cards}, {"--compare", f.compare}} {
		for _, c := range one.cards {
			switch n, card, ok := counted(c); {
			case strings.Trim(c, " ,\t") == "":
				faults = append(faults, fmt.Errorf("%s is empty; name a card like H100, or leave it out", one.name))
			case one.name == "--compare" && isAll(c) && len(one.cards) == 1:
			case one.name == "--compare" && slices.ContainsFunc(strings.Split(c, ","), isAll):
				faults = append(faults, fmt.Errorf("--compare %s names all cards and others beside them; say all alone", c))
			case slices.ContainsFunc(strings.Split(c, ","), isAll):
				faults = append(faults, fmt.Errorf("%s all: a plan of training is made for one card; name it, and those to hold it against with --compare", one.name))
			case ok && one.name == "--gpu":
				faults = append(faults, fmt.Errorf("--gpu %q names a number of cards; say --gpus %s --gpu %q", c, n, card))
			case ok:
				faults = append(faults, fmt.Errorf("--compare %q names a number of cards; name the card alone, its number is that of --gpus", c))
			}
		}
		if n := namedCards(one.cards); n > maxCompared {
			faults = append(faults, fmt.Errorf("%s names %d cards, want at most %d", one.name, n, maxCompared))
		}
	}
	return errors.Join(faults...)
}

// maxCompared is how many cards are planned for in one question: each is a search of its own.
const maxCompared = 32

func (f *trainFlags) checkDivision() error {
	p := &f.plan
	var faults []error
	search := ""
	if p.GPUs == 0 {
		search = first(given{f.auto, "--gpus " + autoGPUs}, given{f.deadline > 0, "--deadline"})
	}
	switch {
	case f.best && search != "":
		faults = append(faults, fmt.Errorf("%s looks for the division too; leave --best-division out", search))
	case f.best && p.GPUs == 0:
		faults = append(faults, fmt.Errorf("--best-division is of the cards of --gpus, and nobody says how many; give --gpus 64, or --gpus %s", autoGPUs))
	case f.most > 0 && p.GPUs > 0:
		faults = append(faults, fmt.Errorf("--max-gpus bounds the search for a number of cards, and --gpus %d says it; leave one out", p.GPUs))
	case f.most > 0 && search == "":
		faults = append(faults, fmt.Errorf("--max-gpus bounds a search, and nothing is looked for; give --gpus %s or --deadline", autoGPUs))
	}
	if search != "" && p.Data > 0 {
		faults = append(faults, fmt.Errorf("%s looks for the number of cards, and --dp %d fixes it; leave one out", search, p.Data))
	}
	if p.Pipeline == 1 && p.Virtual > 1 {
		faults = append(faults, fmt.Errorf("--virtual-stages %d divide the stages of a pipeline, and --pp is 1; give more stages, or leave one out", p.Virtual))
	}
	if p.Pipeline == 1 && p.Schedule != "" && p.Schedule != train.OneFOneB {
		faults = append(faults, fmt.Errorf("--schedule %s is of a pipeline, and --pp is 1; give more stages, or leave one out", p.Schedule))
	}
	if p.Virtual > 1 && p.Schedule == train.OneFOneB {
		faults = append(faults, fmt.Errorf("--virtual-stages %d make the schedule interleaved, and --schedule is %s; leave one out", p.Virtual, p.Schedule))
	}
	if p.Virtual == 1 && p.Schedule == train.Interleaved {
		faults = append(faults, errors.New("--schedule interleaved needs several chunks on each stage, and --virtual-stages is 1; give 2 or more"))
	}
	if p.Shard > 0 && p.Zero == 0 {
		faults = append(faults, fmt.Errorf("--shard-group %d share what --zero 0 says nobody shares; leave one out", p.Shard))
	}
	if p.Shard > 0 && p.Data > 0 && p.Data%p.Shard != 0 {
		faults = append(faults, fmt.Errorf("--shard-group %d does not divide --dp %d; give one that does", p.Shard, p.Data))
	}
	if p.Micro > 0 && f.job.Global > 0 && p.Micro > f.job.Global {
		faults = append(faults, fmt.Errorf("--micro-batch %d is more than --global-batch %d: one pass has no more sequences than the step it is of", p.Micro, f.job.Global))
	}
	if p.NoSequence && p.Tensor == 1 {
		faults = append(faults, errors.New("--no-sequence-parallel is of tensor ranks, and --tp is 1; leave it out"))
	}
	return errors.Join(faults...)
}

func (f *trainFlags) checkRun(m train.Method) error {
	var faults []error
	if f.epochs > 0 && f.have == 0 {
		faults = append(faults, errors.New("--epochs are passes over the data at hand; give --data-tokens too, or the whole run as --tokens"))
	}
	if f.epochs > 0 && f.job.Tokens > 0 {
		faults = append(faults, errors.New("--tokens are those of all epochs, so that --epochs follow from --data-tokens; leave one of the two out"))
	}
	if f.deadline > 0 && f.job.Tokens == 0 && f.have == 0 && m != train.Pretrain { // which has a length that is best
		faults = append(faults, errors.New("--deadline is of a run, and nobody says how long that is; give --tokens, or --data-tokens"))
	}
	if f.packing && f.job.Fill > 0 {
		faults = append(faults, errors.New("--packing fills every sequence, and --fill says how full they are; give one"))
	}
	return errors.Join(faults...)
}

func (f *trainFlags) checkRecipe() error {
	j := &f.job
	var faults []error
	if j.PureBF16 && (j.Precision == train.FP16 || j.Precision == train.FP32) {
		faults = append(faults, fmt.Errorf("--pure-bf16 keeps everything in bf16, and --precision is %s; leave one out", j.Precision))
	}
	if j.InBackward && j.Offload != "" && j.Offload != train.NoOffload {
		faults = append(faults, fmt.Errorf("--optimizer-in-backward steps where the gradients are, and --offload %s steps on the host; leave one out", j.Offload))
	}
	for _, name := range j.Targets {
		switch {
		case strings.TrimSpace(name) == "":
			faults = append(faults, errors.New("--lora-targets names an empty module; give names like q_proj,v_proj, or leave it out for every linear one"))
		case strings.EqualFold(name, allLinear) && len(j.Targets) > 1:
			faults = append(faults, fmt.Errorf("--lora-targets %s is every linear module, and others stand beside it; leave them out", allLinear))
		}
	}
	return errors.Join(faults...)
}

// checkMethod tells of flags that another method than that of the question has.
func (f *trainFlags) checkMethod(m train.Method, assumed bool) error {
	j := &f.job
	rank, adapters := j.Rank > 0, m == train.LoRA || m == train.QLoRA || m.Aligns() && j.Rank > 0
	said := "--method is " + string(m)
	if assumed {
		said = fmt.Sprintf("without --method it is %s", m)
	}
	var faults []error
	refuse := func(flag string, of ...train.Method) {
		names := texts(of)
		faults = append(faults, fmt.Errorf("%s is of %s, and %s; give --method %s, or leave %[1]s out", flag, andList(names), said, orList(names)))
	}
	if m.Aligns() && !rank {
		for _, flag := range []given{{len(j.Targets) > 0, "--lora-targets"}, {j.TrainOuter, "--train-embeddings"}, {j.Quantized != "", "--frozen"}} {
			if flag.said {
				faults = append(faults, fmt.Errorf("%s is of adapters, and --method %s trains all weights without --lora-rank; give --lora-rank too", flag.name, m))
			}
		}
	} else if flag := first(given{rank, "--lora-rank"}, given{len(j.Targets) > 0, "--lora-targets"}, given{j.TrainOuter, "--train-embeddings"}); flag != "" && !adapters {
		refuse(flag, train.LoRA, train.QLoRA)
	}
	if j.Quantized != "" && m != train.QLoRA && !m.Aligns() {
		refuse("--frozen", train.QLoRA)
	}
	if f.others.reference != "" && !m.Aligns() {
		refuse("--reference", train.DPO, train.PPO, train.GRPO)
	}
	answers := m == train.PPO || m == train.GRPO
	if flag := first(given{f.others.reward != "", "--reward"}, given{j.Prompt > 0, "--prompt-tokens"}, given{f.rollout != "", "--rollout-engine"}); flag != "" && !answers {
		refuse(flag, train.PPO, train.GRPO)
	}
	if f.others.critic != "" && m != train.PPO {
		refuse("--critic", train.PPO)
	}
	if j.Group > 0 && m != train.GRPO {
		refuse("--group-size", train.GRPO)
	}
	if j.Prompt > 0 && j.Sequence > 0 && j.Prompt >= j.Sequence {
		faults = append(faults, fmt.Errorf("--prompt-tokens %d leave no room for an answer in --seq-len %d", j.Prompt, j.Sequence))
	}
	return errors.Join(faults...)
}

// ofOneCard tells of prices of one card where several are looked at, see moneyFlags.ofOneCard.
func (f *trainFlags) ofOneCard() error {
	price := first(given{f.money.price > 0, "--price"}, given{f.money.purchase > 0, "--purchase-price"})
	cards := namedCards(f.cards)
	switch {
	case price == "":
		return nil
	case cards == 0:
		return fmt.Errorf("%s is of one card, and none is named; give --gpu", price)
	case cards > 1 || len(f.compare) > 0:
		return fmt.Errorf("%s is of one card, and others are compared, which would be billed at it too; ask for each by itself", price)
	}
	return nil
}

// otherModels are the models beside the one that is trained, as flags name them.
type otherModels struct{ reference, reward, critic string }

// otherRefs are the same as references.
type otherRefs struct{ reference, reward, critic model.Ref }

func (o otherModels) resolve(a *App) (refs otherRefs, err error) {
	var faults []error
	for _, one := range []struct {
		flag, name string
		to         *model.Ref
	}{{"reference", o.reference, &refs.reference}, {"reward", o.reward, &refs.reward}, {"critic", o.critic, &refs.critic}} {
		if one.name == "" {
			continue
		}
		ref, err := a.sizedRef(one.name)
		if err != nil {
			faults = append(faults, fmt.Errorf("reading --%s: %w", one.flag, err))
		}
		*one.to = ref
	}
	return refs, errors.Join(faults...)
}

// people writes a number as they do: 8B, 0.35B.
func people(v float64) string {
	for _, unit := range []struct {
		name string
		of   float64
	}{{"T", 1e12}, {"B", 1e9}, {"M", 1e6}} {
		if v >= unit.of {
			return fmt.Sprintf("%.4g%s", v/unit.of, unit.name)
		}
	}
	return fmt.Sprintf("%.0f", v)
}

// andList joins words as people do: "a", "a and b", "a, b and c".
func andList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
