/* A prediction is a question with choices: the first that is opened counts, and is remembered. */
(() => {
  const KEY = "genbook-predict:";
  const storage = (() => {
    try {
      localStorage.getItem(KEY);
      return localStorage;
    } catch {
      return null; // a browser that keeps nothing for pages from disk
    }
  })();

  /* Questions of one page: runs of neighbouring choices. */
  const questions = () => {
    const found = [];
    for (const choice of document.querySelectorAll("details.gb-choice")) {
      const last = found[found.length - 1];
      if (last && last[last.length - 1] === choice.previousElementSibling) last.push(choice);
      else found.push([choice]);
    }
    return found;
  };

  const tally = () => {
    const kept = storage ? Object.keys(storage).filter((key) => key.startsWith(KEY)) : [];
    const right = kept.filter((key) => storage.getItem(key).endsWith(":right")).length;
    return kept.length > 1 ? ` In this book so far: ${right} of ${kept.length}.` : "";
  };

  const page = location.pathname.split("/").pop();
  const setUp = (choices, number) => {
    const key = `${KEY}${page}:${number}`;
    const line = document.createElement("p");
    line.className = "gb-score";
    line.setAttribute("role", "status");
    choices[choices.length - 1].after(line);
    let answered = false;
    const say = (place) => {
      answered = true;
      const right = choices[place].classList.contains("gb-right");
      choices.forEach((choice, i) => choice.classList.toggle("gb-chosen", i === place));
      choices.forEach((choice) => choice.classList.add("gb-answered"));
      const asked = choices[place].querySelector(".sd-summary-text").textContent.trim();
      line.textContent = right
        ? `Predicted right.${tally()}`
        : `Your prediction was “${asked}”. The right one is marked.${tally()}`;
    };
    choices.forEach((choice, place) => {
      choice.addEventListener("toggle", () => {
        if (!choice.open || answered) return;
        const right = choice.classList.contains("gb-right");
        if (storage) storage.setItem(key, `${place}:${right ? "right" : "wrong"}`);
        say(place);
      });
    });
    const kept = storage && storage.getItem(key);
    if (kept && choices[parseInt(kept)]) say(parseInt(kept));
    else line.textContent = "Choose before you read on: the first choice counts.";
  };

  addEventListener("DOMContentLoaded", () => questions().forEach(setUp));
})();
