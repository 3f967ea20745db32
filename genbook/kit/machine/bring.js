// What lies beside the page, programs and weights, comes when the figure is near: a script that holds them.
function bring(figure, brought, mount) {
  if (typeof brought !== "string") { mount(brought); return; }
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    const script = document.createElement("script");
    script.src = brought;
    script.onload = () => mount(window.genbookBrought[figure.dataset.genbookMachine]);
    script.onerror = () => {
      figure.dataset.genbookMachineState = "failed";
      figure.querySelector(".gb-readout").textContent = "The machine's program did not arrive. Reload the page.";
    };
    document.head.append(script);
  }, { rootMargin: "600px" });
  near.observe(figure);
}
