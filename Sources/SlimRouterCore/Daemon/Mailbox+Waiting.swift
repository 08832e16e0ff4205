internal import Dispatch
internal import Synchronization

extension Mailbox {
    /// Asks the connection thread a question and blocks until it has answered: for threads that may block only.
    func askAndWait<Answer: Sendable>(_ question: @escaping @Sendable (Engine) -> Answer) -> Answer {
        let answered = DispatchSemaphore(value: 0)
        let box = AnswerBox<Answer>()
        post { engine in
            box.answer.withLock { $0 = question(engine) }
            answered.signal()
        }
        while true {
            answered.wait()
            if let answer = box.answer.withLock({ $0 }) { return answer }
        }
    }
}

private final class AnswerBox<Answer: Sendable>: Sendable {
    let answer = Mutex<Answer?>(nil)
}
