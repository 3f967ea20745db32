// Weights that lie beside the page come when the figure is near: a script whose text is the weights.
function bringWeights(figure, packed, mount) {
  if (typeof packed !== "string") { mount(packed); return; }
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    const script = document.createElement("script");
    script.src = packed;
    script.onload = () => mount(window.genbookWeights[figure.dataset.genbookMachine]);
    script.onerror = () => {
      figure.dataset.genbookMachineState = "failed";
      figure.querySelector(".gb-readout").textContent = "The machine's weights did not arrive. Reload the page.";
    };
    document.head.append(script);
  }, { rootMargin: "600px" });
  near.observe(figure);
}
