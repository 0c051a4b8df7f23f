package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/llmcheck/llmcheck/internal/fetch"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
)

// explain makes an error of the hub one that says what to do. The hub has names for its refusals (X-Error-Code); without
// one, 401 means "no such repository" as often as "not yours", which only a token can tell apart.
func (o *Opener) explain(ref model.Ref, err error) error {
	e, ok := errors.AsType[*fetch.Error](err)
	switch {
	case !ok:
		return err
	case e.Status == 0:
		return o.explainSilence(e)
	case e.Host != o.host():
		return o.say(source.ErrUnreachable, e, "the download server that the hub names does not give the file")
	case e.Code == "GatedRepo":
		return o.say(source.ErrForbidden, e, "%s is gated; %s", ref.Name, o.gateHint(ref.Name))
	case strings.Contains(strings.ToLower(e.Message), "access to this resource is disabled"):
		return o.say(source.ErrForbidden, e, "the hub has disabled %s", ref.Name)
	case e.Code == "RevisionNotFound":
		return o.say(source.ErrNotFound, e, "%s has no revision %q", ref.Name, revisionOf(ref))
	case e.Code == "EntryNotFound":
		return o.say(source.ErrNotFound, e, "%s lists a file at this commit that the hub does not give", ref.Name)
	case e.Code == "RepoNotFound":
		return o.say(source.ErrNotFound, e, "%s has no model %s, or it is private; check the name, or set HF_TOKEN to a token that may read it",
			o.Client.Endpoint(), ref.Name)
	}
	return o.explainStatus(ref, e)
}

// explainSilence adds what to look at when nobody answered.
func (o *Opener) explainSilence(e *fetch.Error) error {
	if !errors.Is(e, source.ErrUnreachable) || errors.Is(e, fetch.ErrRefused) || errors.Is(e, context.Canceled) {
		return e
	}
	c := *e
	c.Text += "; check the network, HF_ENDPOINT and HTTPS_PROXY"
	return &c
}

// host is that of the hub; a status from another one says nothing about who may read the model.
func (o *Opener) host() string {
	u, err := url.Parse(o.Client.Endpoint())
	if err != nil {
		return ""
	}
	return u.Host
}

func (o *Opener) explainStatus(ref model.Ref, e *fetch.Error) error {
	switch {
	case e.HTML && e.Status != http.StatusNotFound && !isServerFault(e.Status):
		return o.say(source.ErrUnreachable, e, "%s answers with a page for people: a portal, a firewall or a proxy, or not a hub",
			o.Client.Endpoint())
	case e.Status == http.StatusUnauthorized && o.Client.TokenState() == fetch.TokenSent:
		return o.say(source.ErrForbidden, e, "the hub does not accept the access token; check HF_TOKEN or the token file")
	case e.Status == http.StatusUnauthorized:
		return o.say(source.ErrNotFound, e, "%s has no model %s, or it is private; check the name, or set HF_TOKEN to a token that may read it",
			o.Client.Endpoint(), ref.Name)
	case e.Status == http.StatusForbidden:
		return o.say(source.ErrForbidden, e, "the access token may not read %s; give it that right, or accept the terms on the page of the model", ref.Name)
	case e.Status == http.StatusNotFound:
		return o.say(source.ErrNotFound, e, "%s has no model %s; check the name and HF_ENDPOINT", o.Client.Endpoint(), ref.Name)
	case e.Status == http.StatusTooManyRequests:
		return o.say(e.Kind, e, "the hub limits how often it is asked; wait, or set HF_TOKEN for a higher limit")
	}
	return e
}

func isServerFault(status int) bool { return status >= 500 || status == http.StatusTooManyRequests }

// say puts the sentence that helps before what was seen.
func (o *Opener) say(kind error, e *fetch.Error, format string, args ...any) error {
	c := *e
	c.Kind = kind
	c.Text = o.Client.Redact(fmt.Sprintf("%s: ", kind) + fmt.Sprintf(format, args...) + " (" + e.Text + ")")
	return &c
}

func (o *Opener) gateHint(name string) string {
	if o.Client.TokenState() == fetch.TokenWithheld {
		return "the access token is not sent over plain http: use an https address in HF_ENDPOINT"
	}
	return fmt.Sprintf("accept its terms on %s/%s and set HF_TOKEN to a token of that account", o.Client.Endpoint(), name)
}
