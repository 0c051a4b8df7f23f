package cli

import (
	"errors"
	"fmt"
	"slices"
)

// Code is an exit status. The meanings never change; they are the same for every command and every format.
type Code int

// The exit statuses.
const (
	OK          Code = 0 // answered, and passes
	Failed      Code = 1 // the tool failed
	Usage       Code = 2 // wrong command line or bad input file
	No          Code = 3 // answered: prohibited, or a policy is not met
	NotEnough   Code = 4 // answered: not enough evidence
	Unreachable Code = 5 // a source could not be reached
)

// worst orders the statuses of several answers: a failure of the tool hides nothing, and no pass hides a no.
var worst = []Code{Failed, Usage, Unreachable, No, NotEnough, OK}

// Worst is the status that stands for several.
func Worst(codes ...Code) Code {
	for _, c := range worst {
		if slices.Contains(codes, c) {
			return c
		}
	}
	return OK
}

// statusError carries an exit status beside what went wrong. A nil Err means that the answer itself says so, and
// nothing is printed.
type statusError struct {
	Code Code
	Err  error
	Hint string // what to do next
}

func (e *statusError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Code)
	}
	return e.Err.Error()
}

func (e *statusError) Unwrap() error { return e.Err }

// usage marks an error as one of the command line or of an input file.
func usage(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &statusError{Usage, err, hint}
}

// answered ends a command whose answer is printed and is not a pass.
func answered(c Code) error {
	if c == OK {
		return nil
	}
	return &statusError{Code: c}
}

func codeOf(err error) Code {
	if err == nil {
		return OK
	}
	if s, ok := errors.AsType[*statusError](err); ok {
		return s.Code
	}
	return Failed
}
