package train

// hoffmann is how many tokens for each parameter are compute-optimal by the rule that is named after Chinchilla.
const hoffmann = 20
