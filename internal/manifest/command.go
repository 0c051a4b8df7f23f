package manifest

import (
	"fmt"
	"strconv"
	"strings"
)

// role is which of several nodes a command is for.
type role int

const (
	alone  role = iota
	leader      // node 0, which answers clients
	worker
)

// place is where a command will run.
type place struct {
	container bool
	role      role
}

// word is a text that is given as it is, or something that only the node knows.
type word struct {
	text string
	kind wordKind
	each int // of startRank: ranks of one node
}

type wordKind int

const (
	literal       wordKind = iota
	nodeRank               // its number
	leaderAddress          // text follows it
	startRank              // its number × each
)

// option is a flag with its value, or one of both.
type option struct {
	flag  string
	value *word
}

func bare(name string) option        { return option{flag: name} }
func text(name, value string) option { return option{name, &word{text: value}} }
func number[T int | int64](name string, n T) option {
	return text(name, strconv.FormatInt(int64(n), 10))
}

// list collects options.
type list []option

func (l *list) add(o ...option) { *l = append(*l, o...) }

func (l *list) positive(name string, n int64) {
	if n > 0 {
		l.add(number(name, n))
	}
}

func (l *list) ranks(name string, n int) {
	if n > 1 {
		l.add(number(name, n))
	}
}

func (l *list) named(name, value string) {
	if value != "" {
		l.add(text(name, value))
	}
}

func (l *list) share(name string, x float64) {
	if x > 0 {
		l.add(text(name, strconv.FormatFloat(x, 'f', -1, 64)))
	}
}

func (l *list) set(name string, on bool) {
	if on {
		l.add(bare(name))
	}
}

// quote is a text as one word of a POSIX shell.
func quote(s string) string {
	safe := s != ""
	for i := range len(s) {
		c := s[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("_@%+:,./-", c) >= 0 {
			continue
		}
		safe = c == '=' && i > 0 && safe
	}
	if safe {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func (w *word) shell() string {
	switch w.kind {
	case nodeRank:
		return `"$NODE_RANK"`
	case leaderAddress:
		return `"$HEAD_ADDR"` + quoted(w.text)
	case startRank:
		return fmt.Sprintf(`"$((NODE_RANK * %d))"`, w.each)
	}
	return quote(w.text)
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return quote(s)
}

func (o option) shell() string {
	switch {
	case o.value == nil:
		return o.flag
	case o.flag == "":
		return o.value.shell()
	}
	return o.flag + " " + o.value.shell()
}

// dollars doubles the sign by which Kubernetes and compose mark what they replace.
func dollars(s string) string { return strings.ReplaceAll(s, "$", "$$") }

func (w *word) pod() string {
	switch w.kind {
	case nodeRank:
		return "$(LWS_WORKER_INDEX)"
	case leaderAddress:
		return "$(LWS_LEADER_ADDRESS)" + dollars(w.text)
	case startRank:
		panic("a pod computes no rank outside of a shell")
	}
	return dollars(w.text)
}

// podArgs are options as arguments of a container, in which Kubernetes or compose replaces variables.
func podArgs(options []option) []string {
	var args []string
	for _, o := range options {
		if o.flag != "" {
			args = append(args, o.flag)
		}
		if o.value != nil {
			args = append(args, o.value.pod())
		}
	}
	return args
}

// script is the command line of an engine.
func (p *Plan) script(format string) ([]byte, error) {
	e := p.engine()
	if e.format != format {
		return nil, refuse("it is a plan for %s, and not for %s; %s, or plan again with --engine %s",
			p.Engine, format, instead(e), strings.Replace(format, "llama-server", "llama.cpp", 1))
	}
	if p.Nodes > 1 {
		return p.clusterScript(e)
	}
	options, err := e.options(p, place{})
	if err != nil {
		return nil, err
	}
	lines := []string{strings.Join(e.program(p), " ")}
	for _, o := range options {
		lines = append(lines, o.shell())
	}
	edit := p.commandNotes()
	return []byte(p.header(edit...) + strings.Join(lines, " \\\n  ") + "\n"), nil
}

func instead(e engine) string {
	if e.format == "" {
		return "say --emit compose"
	}
	return "say --emit " + e.format
}

func (p *Plan) commandNotes() []string {
	notes := []string{fmt.Sprintf("install %s %s; flags are those of that version", p.Engine, p.Version)}
	if p.GPU.Vendor != "none" {
		where := "the machine"
		if p.Nodes > 1 {
			where = "each machine"
		}
		notes = append(notes, fmt.Sprintf("%s has to show %d × %s and nothing else that uses them", where, p.GPUsPerNode, p.card()))
	}
	if p.Model.Gated {
		notes = append(notes, "set HF_TOKEN: the model is given to accounts that accepted its terms")
	}
	notes = append(notes, p.modelNotes()...)
	if n := p.copies(); n > 1 {
		notes = append(notes, fmt.Sprintf("the plan has %d replicas (%d spare): start as many, with a load balancer before them",
			n, p.Spare))
	}
	return append(notes, "there is no authentication: let only your own gateway reach the port")
}

// modelNotes say how the weights come to be the ones that were judged.
func (p *Plan) modelNotes() []string {
	var notes []string
	switch {
	case p.local():
	case p.Model.Revision == "":
		notes = append(notes, "the model's revision is not known, so the newest is loaded, which may be another one than was judged")
	case p.Engine == "llama.cpp" || p.Engine == "trt-llm":
		notes = append(notes, fmt.Sprintf("%s takes the newest revision; to run what was judged, download %s at revision %s and give the path",
			p.Engine, p.Model.Hub, p.Model.Revision))
	}
	if p.Model.Code && (p.Engine == "vllm" || p.Engine == "sglang" || p.Engine == "trt-llm") {
		notes = append(notes, "the model brings code of its own, which the engine runs only if told so (trust_remote_code): read it first")
	}
	return notes
}

func (p *Plan) card() string {
	if p.GPU.Name == "" {
		return "the card of the plan"
	}
	return p.GPU.Name
}

// clusterScript is one script for every node, which learns from two variables which it is.
func (p *Plan) clusterScript(e engine) ([]byte, error) {
	head, err := e.options(p, place{role: leader})
	if err != nil {
		return nil, err
	}
	rest, err := e.options(p, place{role: worker})
	if err != nil {
		return nil, err
	}
	if len(rest) < len(head) {
		return nil, refuse("%s is not written for several nodes", p.Engine)
	}
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	b.WriteString(p.header(append([]string{
		fmt.Sprintf("run it on each of %d machines: NODE_RANK=0 on the first, 1 to %d on the others, HEAD_ADDR=the address of the first",
			p.Nodes, p.Nodes-1),
	}, p.commandNotes()...)...))
	b.WriteString("set -eu\n")
	b.WriteString(`: "${NODE_RANK:?is the number of this machine, 0 for the first}"` + "\n")
	b.WriteString(`: "${HEAD_ADDR:?is the address of the first machine}"` + "\n")
	if p.ray() {
		b.WriteString("if [ \"$NODE_RANK\" -ne 0 ]; then\n  exec ray start --address=\"$HEAD_ADDR:6379\" --block\nfi\n")
		b.WriteString("ray start --head --port=6379\n")
	}
	b.WriteString("set -- " + strings.Join(e.program(p), " "))
	for _, o := range head {
		b.WriteString(" \\\n  " + o.shell())
	}
	b.WriteString("\n")
	if more := rest[len(head):]; len(more) > 0 {
		b.WriteString("if [ \"$NODE_RANK\" -ne 0 ]; then\n  set -- \"$@\"")
		for _, o := range more {
			b.WriteString(" " + o.shell())
		}
		b.WriteString("\nfi\n")
	}
	b.WriteString("exec \"$@\"\n")
	return []byte(b.String()), nil
}
