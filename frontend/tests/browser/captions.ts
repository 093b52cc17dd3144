/** A short talk in three parts, written for these tests; each part is about a minute long. */
const YEAST = [
  "Bread rises because yeast eats the sugar in the flour and breathes out carbon dioxide.",
  "A packet of dried yeast holds some hundred thousand million cells, all of them asleep.",
  "Warm water wakes them, and within ten minutes the first bubbles come up to the surface.",
  "The dough would lose that gas at once if it were only flour stirred into water.",
  "But kneading turns two proteins of the wheat into gluten, a net that stretches like rubber.",
  "Every bubble is caught in the net, so the whole dough swells as the bubbles grow.",
  "A cool cellar makes the yeast slow, and a slow rise gives the crumb more flavour.",
  "Many bakers leave the dough overnight and shape the loaves early in the morning.",
  "If it stands too long the net tears, the gas escapes, and the loaf stays flat.",
  "A finger pressed into the dough tells when to stop: the dent should fill slowly.",
];

const SALT = [
  "Now to the salt, which most people think is there for nothing but the taste.",
  "Salt draws water out of the yeast cells, and so it slows them down a great deal.",
  "That is why bakers add the salt only after the first mixing, when the yeast is awake.",
  "Two grams of salt for every hundred grams of flour is the usual measure in a bakery.",
  "Without any salt the dough rises in half the time and then falls in on itself.",
  "Salt also tightens the gluten, which makes a wet dough far easier to shape by hand.",
  "In Tuscany they bake a loaf with no salt at all, and eat it with very salty ham.",
  "The story goes that a tax on salt began the custom some nine hundred years ago.",
  "Sea salt and mined salt do the same work, whatever the label on the packet says.",
  "Only keep the grains off the dry yeast, for they can kill it where they touch.",
];

const OVEN = [
  "Last comes the oven, and the oven should be as hot as it can possibly be made.",
  "In the first minutes the gas swells once more, and bakers call that the oven spring.",
  "Steam keeps the crust soft for that time, so that the loaf still has room to grow.",
  "A tray of boiling water on the floor of the oven is enough steam for one loaf.",
  "Then the steam is let out, and the surface dries, browns and begins to smell.",
  "The brown colour is sugar and protein joining into hundreds of new compounds.",
  "When the middle reaches ninety six degrees the starch has set and the loaf is done.",
  "Knock on the bottom of it: a loaf that is done sounds as hollow as a drum.",
  "Let it cool for an hour before the knife, because the crumb is still setting.",
  "And a loaf that went stale comes back to life in a hot oven with a little water.",
];

const SECONDS_A_LINE = 6;

function stamp(seconds: number): string {
  const minutes = String(Math.floor(seconds / 60)).padStart(2, "0");
  return `00:${minutes}:${String(seconds % 60).padStart(2, "0")},000`;
}

/** The talk as SubRip. */
export const BREAD_SRT = [...YEAST, ...SALT, ...OVEN]
  .map((line, index) => {
    const start = index * SECONDS_A_LINE;
    return `${index + 1}\n${stamp(start)} --> ${stamp(start + SECONDS_A_LINE - 1)}\n${line}\n`;
  })
  .join("\n");

/** Where the talk is about salt, in seconds. */
export const SALT_STARTS_S = YEAST.length * SECONDS_A_LINE;
export const SALT_ENDS_S = (YEAST.length + SALT.length) * SECONDS_A_LINE;
