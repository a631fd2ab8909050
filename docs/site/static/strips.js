// A row of frames becomes one picture and a slider, by mouse, touch and keys. Without JavaScript the row stays.
"use strict";

function moving(strip) {
  const images = [...strip.querySelectorAll("img")];
  const texts = [...strip.querySelectorAll("figcaption")].map((caption) => caption.textContent);
  const row = strip.querySelector(".strip-frames");
  const shown = Number(strip.dataset.start);

  const picture = images[shown].cloneNode();
  picture.className = "strip-picture";
  picture.loading = "eager";
  picture.style.maxWidth = `${strip.dataset.width}px`;
  const label = document.createElement("label");
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: 0, max: images.length - 1, step: 1, value: shown });
  slider.setAttribute("value", shown);
  slider.value = shown; // once more: min and max may have come after it
  label.append(strip.dataset.label, slider);
  const text = document.createElement("p");
  text.className = "strip-text";
  text.setAttribute("role", "status");

  function show() {
    const at = Number(slider.value);
    picture.src = images[at].src;
    picture.alt = images[at].alt;
    text.textContent = texts[at];
    slider.setAttribute("aria-valuetext", texts[at]);
  }
  // The other frames are fetched as soon as somebody comes near the slider, so that it does not stutter.
  function fetchAll() {
    for (const image of images) new Image().src = image.src;
  }
  for (const event of ["pointerenter", "pointerdown", "focus"]) {
    slider.addEventListener(event, fetchAll, { once: true });
  }
  slider.addEventListener("input", show);
  show();
  row.replaceWith(label, picture, text);
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".strip").forEach(moving));
