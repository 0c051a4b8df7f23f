package shingle

import (
	"slices"
	"strings"
	"sync"
)

// Class says what a word can do to the meaning of a license.
type Class uint8

// The classes, in the order of the index format.
const (
	Plain    Class = iota
	Critical       // can turn, widen or narrow a permission: negations, quantities, persons, acts
	Number         // has a digit
	Holder         // stands where the name of a holder stands
	Function       // joins other words
	Slot           // stands in a placeholder
	Name           // of titles and attributions
	Joint          // and, or
)

// Words of each class, as fold leaves them (no plural s, American spelling).
const (
	criticalWords = `
not no non never neither nor none cannot without except exception exclude excluding excluded unless only solely merely
exclusive exclusively nonexclusive commercial commercially noncommercial noncommercially nonproduction revenue turnover
income profit nonprofit user subscriber customer territory domicile prohibited prohibit prohibition forbidden forbid
disallow disallowed restrict restricted restriction unrestricted must shall may should might can could will would need
require required requirement obligation oblige obliged bound permission permitted permit allowed allow grant granted
entitle entitled waive waived waiver fee charge royalty royaltyfree pay paid payment price cost free freely gratis sell
sold selling sale resell rent lease lend loan distribute distributed distributing distribution redistribute
redistribution redistributed sublicense sublicensed modify modified modifying modification alter altered change changed
use used using usage reuse copying merge merged publish published reproduce reproduction perform display disclose
derivative patent trademark warrant liable indemnify indemnification terminate termination terminated revoke revoked
revocable irrevocable perpetual worldwide country jurisdiction state government governmental military weapon war nuclear
research researcher academic education educational scientific personal private internal production evaluation testing
consent approval approve approved written prior registration register registered request notify additional additionally
addendum further supplement supplemental rider limited limit limitation unlimited train training output compete
competing competitor competition competitive monthly annual annually daily million billion thousand hundred dollar usd
eur euro gbp cny rmb yen percent agree agreed agreement accept acceptance comply compliance common ethical ethic harm
harmful lawful unlawful illegal law export sanction student consumer employee subject provided however
notwithstanding if when where whether until before after during any every each all both either people person human
third party anyone everyone everybody nobody whoever entity affiliate companie corporate enterprise organization
service saa hosted hosting api network host access attribute credit mention prominent prominently advertising promote
endorse endorsement minor child children adult age eu european union china chinese russia iran usa canada uk korea
israel ukraine different instead dual version release replace supersede void invalid expire expiration expiry begin date
policy policie rule code condition term clause right privilege obtain receive deal own fork mirror benchmark compare
host embed incorporate combine link linking static dynamic build compile reverse engineer decompile disassemble
circumvent 不 非 禁 止 仅 只 限 须 必 得 勿 未 除 商 费 授 许 可 终 军 금 비 상 불
proprietary confidential closed ban banned deny denied trial secret valid validity
nur nicht kein keine keinen keiner ohne außer ausser verboten untersagt gestattet gewerblich gewerbliche gewerblichen
kommerziell kommerzielle kommerziellen nichtkommerziell nichtkommerzielle nichtkommerziellen nutzung verwendung zweck zwecke
ausschließlich forschung forschungszwecke uniquement seulement exclusivement aucun aucune sauf interdit interdite commerciale
commerciales commerciaux recherche utilisation solamente únicamente unicamente apenas somente soltanto esclusivamente
exclusivamente excepto salvo prohibido prohibida proibido proibida vietato vietata comercial comerciales comerciais commerciali
uso investigación investigacion pesquisa ricerca não alleen niet geen zonder commercieel commerciële gebruik onderzoek
только не без запрещено запрещается кроме коммерческих некоммерческих коммерческого некоммерческого использования целях исследований
remove delete retain include included including contain preserve accompany accompanied reserve
`
	holderWords = `
author holder contributor regent university copyright owner developer licensor foundation institute
project team group developer name maintainer organization company vendor consortium university inc llc ltd gmbh corp corporation co department
`
	functionWords = `the a an of to in on at by for with from as is are be was were been it it this that these those such
its his her their which who whom there here so then than into upon per via`
	nameWords = `
license public domain general open source software library lesser text file full notice legal document title apache mit
bsd isc mozilla gnu gpl lgpl agpl mpl simplified new revised original clear x11 expat zlib creative attribution
international unported generic universal deed disclaimer appendix description readme contact email mail website homepage
web site url http https see also written created developed maintained designed implemented based derived portion
from thank credit special contributed contribution affero boost eclipse academic artistic educational
community reserved rights acknowledgment acknowledgments part tm copr phd dr prof et al others other
`
)

var classes = sync.OnceValue(func() map[uint32]Class {
	m := make(map[uint32]Class, 1024)
	add := func(words string, c Class) {
		for w := range strings.FieldsSeq(words) {
			m[hashWord([]byte(w))] = c
		}
	}
	add(nameWords, Name)
	add(functionWords, Function)
	add(criticalWords, Critical)
	add(holderWords, Holder)
	add("and or", Joint)
	return m
})

// Spellings that mean the same, after the plural s is gone.
var synonyms = sync.OnceValue(func() map[string]string {
	m := make(map[string]string, 64)
	for line := range strings.Lines(`
licence license
licenced license
licensed license
licencing licensing
sublicence sublicense
expressed express
owner holder
acknowledgement acknowledgment
organisation organization
favour favor
behaviour behavior
judgement judgment
fulfil fulfill
whilst while
colour color
honour honor
labour labor
programme program
centre center
defence defense
catalogue catalog
analogue analog
cancelled canceled
modelling modeling
recognise recognize
recognised recognized
authorise authorize
authorised authorized
authorisation authorization
unauthorised unauthorized
utilise utilize
utilisation utilization
licensee's licensee
connexion connection
mustnot mustnot
donot dont
`) {
		if a, b, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			m[a] = b
		}
	}
	return m
})

// fold brings a lower-case word to the form that is compared: no plural s, one spelling.
func fold(w []byte) []byte {
	if n := len(w); n > 3 && w[n-1] == 's' && w[n-2] != 's' && w[n-2] != 'u' && w[n-2] != 'i' {
		w = w[:n-1]
	}
	if s, ok := synonyms()[string(w)]; ok {
		return []byte(s)
	}
	return w
}

func classOf(w []byte, h uint32) Class {
	if slices.ContainsFunc(w, isDigit) {
		return Number
	}
	return classes()[h]
}

// hashWord is FNV-1a with a finalizer.
func hashWord(w []byte) uint32 {
	h := uint32(2166136261)
	for _, b := range w {
		h = (h ^ uint32(b)) * 16777619
	}
	return mix(h)
}

func mix(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

// WordHash returns the hash of a word as Words would give it. It is for comparing tokens with words known in advance.
func WordHash(w string) uint32 { return hashWord(fold([]byte(w))) }
