"""One tritonserver over asynchronous gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from grpc.aio import AioRpcError  # type: ignore[import-untyped]  # it carries no types
from tritonclient.grpc import InferInput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from avatar_runtime.contracts import AvatarError, Code
from gateway.inference.failures import away, to_avatar_error, unreachable
from gateway.observability import calls
from gateway.observability.metrics import Metrics
from gateway.tensors import inputs_of

MAX_MESSAGE_BYTES = 2**31 - 1  # frames are large; Triton sets no smaller bound
LOOK_SECONDS = 2.0  # that a server may take to say which models it has
ANSWER_SECONDS = 60.0  # that a decoupled model may take to its next answer; gRPC knows no deadline between two
#: s that a request which nobody waits for any more may go on before it is cancelled in Triton: before 25.04 Triton dies
#: of a cancellation that meets the answer (its pull requests 7840 and 8078), and most are answered at once.
RUN_OUT_SECONDS = 1.0
KEY_HEADER = "triton-grpc-protocol-antlitz-key"  # triton_launch.command's, with what Triton puts before it
MISSES = 2  # looks in a row that a server may miss; a busy one answers late

T = TypeVar("T")


class Tritonserver:
    """Asks it, and knows whether it is there."""

    def __init__(self, address: str, metrics: Metrics) -> None:
        """`address`: HOST:PORT, with KEY@ before it where the server tells its models to those alone who have it."""
        key, _, self.address = address.rpartition("@")
        self._headers = {KEY_HEADER: key} if key else None
        self.alive = True  # until it is seen to be dead
        self.seats = 0  # sessions that are on it
        self.states: dict[str, bool] = {}  # its models, and which are ready, at the last look
        self.doubted = asyncio.Event()  # something failed as if it were dead
        self._missed = 0
        self._running: dict[asyncio.Future[Any], str] = {}  # and the model of each
        self._left: set[asyncio.Task[None]] = set()  # those that run out
        self._metrics = metrics
        self._client = InferenceServerClient(
            self.address,
            channel_args=[
                ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                # A server that was restarted is found again within a second, not after a two-minute back-off.
                ("grpc.initial_reconnect_backoff_ms", 200),
                ("grpc.max_reconnect_backoff_ms", 1000),
            ],
        )
        self._client.register_plugin(calls.TraceContext())

    async def close(self) -> None:
        """Once what was left alone has run out."""
        await asyncio.gather(*self._left)
        await self._client.close()

    @property
    def load(self) -> int:
        """Requests that it works on for this gateway."""
        return len(self._running)

    def can(self, model: str) -> bool:
        """Whether it is there, and has the model as far as is known."""
        return self.alive and (not self.states or self.states.get(model, False))

    async def look(self) -> bool:
        """See which models it has; False, and dead, when it cannot be reached or has not answered several times."""
        try:
            index = await self._client.get_model_repository_index(headers=self._headers, client_timeout=LOOK_SECONDS)
        except InferenceServerException as error:
            self._missed += 1
            self.states = {}
            if unreachable(error) or self._missed >= MISSES:
                self.alive = False
                self._give_up(set(self._running.values()))
            return False
        self._missed, self.alive = 0, True
        before, self.states = self.states, {model.name: model.state == "READY" for model in index.models}
        self._give_up({name for name, ready in before.items() if ready and not self.states.get(name)})
        return True

    def _give_up(self, models: set[str]) -> None:
        """Their requests would wait for nothing until their deadlines: who should answer them has died."""
        for call, model in list(self._running.items()):
            if model in models:
                call.cancel()

    async def parameters(self, model: str) -> dict[str, str]:
        """Of the model's own config. AvatarError when it cannot be had."""
        try:
            config = (await self._client.get_model_config(model, client_timeout=LOOK_SECONDS)).config
        except InferenceServerException as error:
            raise to_avatar_error(error, model) from error
        return {key: value.string_value for key, value in config.parameters.items()}

    async def call(self, model: str, inputs: dict[str, Any], timeout: float, **sequence: Any) -> Any:  # noqa: ASYNC109 - gRPC's own deadline, known to the server
        """One request to `model`; inputs that are None are left out. AvatarError."""
        with calls.watched(self._metrics, model):
            asked = asyncio.ensure_future(
                self._client.infer(model, inputs_of(inputs), client_timeout=timeout, **sequence)
            )
            try:
                return await self._while_alive(asyncio.shield(asked), model)
            except InferenceServerException as error:
                raise self._failed(error, model) from error
            finally:
                if not asked.done():
                    self._leave(asked)

    async def stream(
        self, model: str, inputs: list[InferInput], last: Callable[[Any], bool]
    ) -> AsyncGenerator[Any, None]:
        """Every answer of a decoupled model to one request, without the one that is the `last`, if there is one.

        Closing the iterator cancels the request in Triton. AvatarError.
        """

        async def requests() -> AsyncIterator[dict[str, Any]]:
            yield {"model_name": model, "inputs": inputs}
            # Triton ends the stream after the last answer, for no more requests can come. The asynchronous client
            # has no way to ask for the empty final response that would otherwise mark the end.

        call = calls.Streamed(self._metrics, model)
        with call.sending():
            stream = self._client.stream_infer(requests())
        answers = aiter(stream)
        over = False  # but for the end of the stream itself
        try:
            while True:
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        result, error = await self._while_alive(anext(answers), model)
                except StopAsyncIteration:
                    return
                except TimeoutError as late:
                    raise call.failed(AvatarError(Code.TIMEOUT, f"{model} did not answer in time.")) from late
                over = error is not None or last(result)
                if error is not None:
                    raise call.failed(self._failed(error, model))
                if over:
                    return
                call.answered()
                yield result
        except (InferenceServerException, AioRpcError) as error:
            raise call.failed(self._failed(error, model)) from error
        finally:
            call.end()
            if over:
                self._leave(asyncio.ensure_future(anext(answers, None)), stream.cancel)
            else:
                stream.cancel()

    def _leave(self, request: asyncio.Future[Any], cancel: Callable[[], object] | None = None) -> None:
        """Nobody waits for its answer any more: it runs out, and is cancelled if it does not soon."""

        async def run_out() -> None:
            await asyncio.wait({request}, timeout=RUN_OUT_SECONDS)
            (cancel or request.cancel)()
            await asyncio.gather(request, return_exceptions=True)

        task = asyncio.get_running_loop().create_task(run_out())
        self._left.add(task)
        task.add_done_callback(self._left.discard)

    async def _while_alive(self, asked: Awaitable[T], model: str) -> T:
        """The answer; AvatarError when the server is found to be dead meanwhile, or gRPC gives up."""
        call = asyncio.ensure_future(asked)
        self._running[call] = model
        try:
            return await call
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self.doubted.set()
            raise away(model) from None
        finally:
            del self._running[call]

    def _failed(self, error: Exception, model: str) -> AvatarError:
        if unreachable(error):
            self.doubted.set()
        return to_avatar_error(error, model)
